"""A training in JupyterLab: its bar and curves move while the cell runs, and its button ends it."""

import re

import nbformat
from playwright.sync_api import expect

TRAINING = """
import torch
from torch import nn
from utils import data, training
shapes = data.cifar10("standin").subset(400, 100).split(100)
model = nn.Sequential(nn.Flatten(), nn.Linear(3072, 10))
def slow(x, generator):
    import time
    time.sleep(0.05)
    return x
history = training.fit(model, shapes, epochs=100_000, lr=1e-4, batch_size=50, augment=slow, live=True)
print("ended:", history.ended, "after", len(history), "epochs")
"""


def test_the_button_stops_it_and_what_was_learned_is_there(page, address, folder):
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3"}}  # without it, JupyterLab would ask
    cells = [nbformat.v4.new_code_cell(TRAINING.strip())]
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=kernel), folder / "live.ipynb")
    page.goto(address.format("live.ipynb"))
    expect(page.locator("#jp-main-statusbar")).to_contain_text("| Idle")
    notebook = page.locator(".jp-NotebookPanel:not(.lm-mod-hidden)")  # another test's may lie behind it
    notebook.locator(".jp-CodeCell .cm-content").first.click()
    page.keyboard.press("Control+Enter")

    curves = notebook.locator(".jp-OutputArea img").first
    expect(curves).to_have_attribute("alt", re.compile(r"under way: loss .* validation accuracy .* after epoch \d"))
    before = curves.get_attribute("src")
    expect(notebook.locator(".jp-OutputArea")).to_contain_text("validation")  # the bar
    expect(curves).not_to_have_attribute("src", before)

    notebook.get_by_role("button", name="Stop after this step").click()
    expect(notebook.locator(".jp-OutputArea")).to_contain_text(re.compile(r"ended: stopped after \d+ epochs"))
    expect(notebook.get_by_role("button", name="Stop after this step")).to_have_count(0)
