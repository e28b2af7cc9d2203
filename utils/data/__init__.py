"""Pictures for the course, as tensors: photographs, a page of text, MNIST, CIFAR-10 and drawn stand-ins.

    from utils import data
    photo = data.photo("astronaut", size=256)      # (3, 256, 256), float32 in [0, 1]
    page = data.page_of_text(bright_patch=True)    # .image, .template, .boxes
    cifar = data.cifar10().split(validation=5000)  # .x_train uint8 (45000, 3, 32, 32), .y_train …
    for x, y in data.Batches(cifar.x_train, cifar.y_train, 128, augment=[data.Crop(4), data.Flip()]): …

MNIST and CIFAR-10 lie in `data.folder()`, are downloaded when they are not there, and are replaced by a stand-in,
with a visible sentence, when that is not possible. Four environment variables steer this:

    CNN_COURSE_DATA      the data folder (default: the user's cache folder)
    CNN_COURSE_MIRRORS   addresses to ask first, separated by spaces: an instructor's own copies
    CNN_COURSE_OFFLINE   1: never try to download
    HTTPS_PROXY          the network's proxy, as everywhere
"""

from utils.data.augment import (
    Brightness,
    Contrast,
    Crop,
    Cutout,
    Each,
    Flip,
    GaussianNoise,
    ResizedCrop,
    Rotate,
    SaltPepper,
    Saturation,
    Scale,
    VerticalFlip,
)
from utils.data.batches import Batches
from utils.data.download import DownloadError
from utils.data.files import DamagedFile, folder
from utils.data.growing import Grow
from utils.data.image_data import ImageData
from utils.data.pages import TextPage, page_of_text
from utils.data.photographs import photo, photos
from utils.data.scenes import KINDS, Scenes, scenes
from utils.data.sets import DataNotFound, cifar10, mnist
from utils.data.shapes import SHAPES, Shapes, shapes10

__all__ = [
    "KINDS",
    "SHAPES",
    "Batches",
    "Brightness",
    "Contrast",
    "Crop",
    "Cutout",
    "DamagedFile",
    "DataNotFound",
    "DownloadError",
    "Each",
    "Flip",
    "GaussianNoise",
    "Grow",
    "ImageData",
    "ResizedCrop",
    "Rotate",
    "SaltPepper",
    "Saturation",
    "Scale",
    "Scenes",
    "Shapes",
    "TextPage",
    "VerticalFlip",
    "cifar10",
    "folder",
    "mnist",
    "page_of_text",
    "photo",
    "photos",
    "scenes",
    "shapes10",
]
