"""Chapter 09: networks that find, segment, compare and restyle; one module for each task.

from utils.applications import detection, retrieval, segmentation, style, windows
"""
