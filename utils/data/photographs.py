"""Photographs that come with scikit-image: no download, free to use."""

from __future__ import annotations

import torch

# Only pictures that lie in scikit-image's own package; its others would be downloaded on first use.
PHOTOS = {
    "astronaut": "Eileen Collins, NASA",
    "brick": "a brick wall, grey",
    "camera": "a man with a camera, grey",
    "cat": "Chelsea, a cat",
    "cell": "a cell under the microscope, grey",
    "clock": "a clock, blurred by motion, grey",
    "coffee": "a cup of coffee",
    "coins": "Greek coins, grey",
    "grass": "grass, grey",
    "gravel": "gravel, grey",
    "hubble_deep_field": "galaxies",
    "immunohistochemistry": "stained tissue under the microscope",
    "moon": "the surface of the moon, grey",
    "page": "a scanned page, unevenly lit, grey",
    "retina": "the retina of an eye",
    "rocket": "a rocket on its launch pad",
    "text": "handwriting, unevenly lit, grey",
}

# How bright each colour looks: the luma weights of ITU-R BT.601.
LUMA = torch.tensor([0.299, 0.587, 0.114])


def photos() -> list[str]:
    """The names that `photo` knows."""
    return list(PHOTOS)


def photo(name: str = "astronaut", size: int | tuple[int, int] | None = None, gray: bool = False) -> torch.Tensor:
    """A photograph as a float32 tensor in [0, 1].

    Parameters
    ----------
    name : one of `photos()`
    size : None keeps the original; a whole number is the length of the longer side, in pixels; (H, W) is exact
    gray : True gives brightness alone, 0.299 R + 0.587 G + 0.114 B

    Returns
    -------
    tensor (3, H, W), red, green, blue, or (H, W) if `gray`. A photograph that was taken in grey has three equal
    channels.
    """
    if name not in PHOTOS:
        raise ValueError(f"There is no photograph {name!r}. There are: {', '.join(PHOTOS)}.")
    from skimage import data as skimage_data

    image = torch.from_numpy(getattr(skimage_data, name)().copy()).float() / 255
    image = image.permute(2, 0, 1) if image.ndim == 3 else image.expand(3, -1, -1)  # (3, H, W)
    if size is not None:
        image = _resize(image, size)
    if gray:
        return torch.einsum("c,chw->hw", LUMA, image).clamp(0, 1)
    return image.contiguous()


def _resize(image: torch.Tensor, size: int | tuple[int, int]) -> torch.Tensor:
    h, w = image.shape[-2:]
    scale = size / max(h, w) if isinstance(size, int) else None
    target = (round(h * scale), round(w * scale)) if scale is not None else tuple(size)
    if len(target) != 2 or min(target) < 1:
        raise ValueError(f"size is the longer side in pixels, or (H, W), at least 1 each; you gave {size!r}.")
    # antialias: without it, shrinking a picture turns fine texture into stripes that are not there.
    return torch.nn.functional.interpolate(image[None], target, mode="bilinear", antialias=True)[0].clamp(0, 1)
