"""The four torchvision functions that ``segment_anything`` imports without declaring torchvision.

They stand in during that one import, and only where no working torchvision is installed: a mismatched build breaks
other libraries, so it is not among the requirements.
"""

from __future__ import annotations

import importlib
import sys
import types
from contextlib import contextmanager

import numpy as np


def resize(picture, size: tuple[int, int]):
    """A PIL picture at ``(height, width)``, bilinear with anti-aliasing, as torchvision does."""
    from PIL import Image

    return picture.resize((size[1], size[0]), Image.Resampling.BILINEAR)


def to_pil_image(array: np.ndarray):
    """``(H, W, 3) uint8`` as a PIL picture."""
    from PIL import Image

    return Image.fromarray(array)


def box_area(boxes):
    """Areas of ``(N, 4)`` boxes ``x0, y0, x1, y1``."""
    return (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])


def batched_nms(boxes, scores, idxs, iou_threshold: float):
    """Indices of the boxes left by non-maximum suppression within each class, best score first.

    Args:
        boxes: ``(N, 4)`` tensor ``x0, y0, x1, y1``.
        scores: ``(N,)``.
        idxs: ``(N,)`` class of each box; boxes of different classes never suppress each other.
        iou_threshold: overlap above which the lower score goes.
    """
    import torch

    order = scores.argsort(descending=True)
    areas = box_area(boxes)
    kept = []
    while len(order):
        first, rest = order[0], order[1:]
        kept.append(first)
        low = torch.maximum(boxes[first, :2], boxes[rest, :2])
        high = torch.minimum(boxes[first, 2:], boxes[rest, 2:])
        overlap = (high - low).clamp(min=0).prod(dim=1)
        iou = overlap / (areas[first] + areas[rest] - overlap).clamp(min=1e-9)
        order = rest[(iou <= iou_threshold) | (idxs[rest] != idxs[first])]
    return torch.stack(kept) if kept else order


def import_segment_anything():
    """The ``segment_anything`` package, whether or not torchvision is there."""
    if "segment_anything" in sys.modules:
        return sys.modules["segment_anything"]
    if _torchvision_works():
        return importlib.import_module("segment_anything")
    with _stand_ins():
        return importlib.import_module("segment_anything")


def _torchvision_works() -> bool:
    try:
        importlib.import_module("torchvision.transforms.functional")
        importlib.import_module("torchvision.ops.boxes")
    # A build for another torch fails with whatever its loader raises.
    except (ImportError, RuntimeError, OSError, AttributeError):
        for name in [n for n in sys.modules if n.split(".")[0] == "torchvision"]:
            del sys.modules[name]
        return False
    return True


@contextmanager
def _stand_ins():
    functional = types.ModuleType("torchvision.transforms.functional")
    vars(functional).update(resize=resize, to_pil_image=to_pil_image)
    boxes = types.ModuleType("torchvision.ops.boxes")
    vars(boxes).update(batched_nms=batched_nms, box_area=box_area)
    modules = {name: types.ModuleType(name) for name in ("torchvision", "torchvision.transforms", "torchvision.ops")}
    modules |= {functional.__name__: functional, boxes.__name__: boxes}
    sys.modules.update(modules)
    try:
        yield
    finally:
        # Other libraries ask sys.modules whether torchvision is installed.
        for name in modules:
            sys.modules.pop(name, None)
