"""Segment Anything behind the same interface: one embedding per picture, then prompts."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

from durian.content_cache import ContentCache
from durian.errors import WeightsMissing
from durian.segmentation.interface import check_image
from durian.segmentation.prompted import START_LOGIT, PromptedSegmenter, asks_for_several, softened
from durian.segmentation.torchvision_parts import import_segment_anything
from durian.settings import get_settings
from durian.weights import verify

PREFERRED = "sam_vit_b_01ec64.pth"

_embeddings = ContentCache(entries=8)
_models: dict[tuple[str, str], object] = {}
_lock = threading.Lock()


def find_checkpoint() -> Path | None:
    """The SAM checkpoint in the weights folder, ``vit_b`` first, or ``None``."""
    folder = get_settings().weights
    found = sorted(folder.glob("sam_vit_*.pth")) if folder.is_dir() else []
    return next((path for path in found if path.name == PREFERRED), found[0] if found else None)


def load_sam(checkpoint: Path, builder: Callable | None = None, device: str = "cpu"):
    """The model of a checkpoint, loaded once per process.

    Args:
        checkpoint: ``sam_vit_{b,l,h}*.pth``, a plain state dict.
        builder: makes the model without weights; by default chosen by the file's name.
        device: ``cpu`` or ``cuda``.

    Raises:
        WeightsMissing: no such file, not the one of that name, or not a SAM checkpoint.
    """
    key = (str(checkpoint), device)
    with _lock:
        if key not in _models:
            _models[key] = _load(Path(checkpoint), builder, device)
        return _models[key]


def _load(checkpoint: Path, builder: Callable | None, device: str):
    import pickle

    import torch

    package = import_segment_anything()
    if builder is None:
        kind = next((k for k in ("vit_b", "vit_l", "vit_h") if k in checkpoint.name), None)
        if kind is None:
            raise WeightsMissing(f"{checkpoint.name} does not name its SAM size: call it sam_vit_b, _l or _h.")
        builder = package.sam_model_registry[kind]
    if not checkpoint.is_file():
        raise WeightsMissing(
            f"{checkpoint.name} is not in the weights folder: run python -m durian weights get sam-vit-b."
        )
    verify(checkpoint)
    model = builder()
    try:
        # weights_only: a checkpoint from the internet must not run code.
        model.load_state_dict(torch.load(checkpoint, map_location="cpu", weights_only=True))
    except (pickle.UnpicklingError, RuntimeError, KeyError, EOFError, TypeError, AttributeError) as error:
        raise WeightsMissing(f"{checkpoint.name} is not a usable SAM checkpoint: fetch it again.") from error
    return model.eval().to(device)


class SamSegmenter(PromptedSegmenter):
    """Clicks through SAM."""

    name = "sam"

    def __init__(self, checkpoint: Path | None = None, builder: Callable | None = None, device: str | None = None):
        super().__init__()
        checkpoint = checkpoint or find_checkpoint()
        if checkpoint is None:
            raise WeightsMissing("There is no SAM checkpoint in weights: run python -m durian weights get sam-vit-b.")
        self._device = device or get_settings().torch_device()
        self._model = load_sam(Path(checkpoint), builder, self._device)
        self._key = f"{checkpoint}{self._device}"
        self._predictor = import_segment_anything().SamPredictor(self._model)

    def set_image(self, image: np.ndarray) -> None:
        """Take a picture and compute its embedding: 18-25 s on two cores, at once when it was seen before."""
        check_image(image)
        self._image = image
        self._last = None
        features, original_size, input_size = _embeddings.get(image, self._embed, key=self._key)
        predictor = self._predictor
        predictor.reset_image()
        predictor.features = features.to(self._device)
        predictor.original_size, predictor.input_size = original_size, input_size
        predictor.is_image_set = True

    def _embed(self, image: np.ndarray):
        with _lock:
            self._predictor.set_image(image)
            return self._predictor.features.cpu(), self._predictor.original_size, self._predictor.input_size

    def _ask(self, points, labels, box, mask_input) -> tuple[np.ndarray, np.ndarray]:
        with _lock:
            logits, scores, low = self._predictor.predict(
                point_coords=points if len(points) else None,
                point_labels=labels if len(points) else None,
                box=None if box is None else np.asarray(box, np.float32),
                mask_input=mask_input,
                multimask_output=asks_for_several(points, mask_input),
                return_logits=True,
            )
        best = int(np.argmax(scores))
        return softened(logits[best]), low[best : best + 1]

    def _as_logits(self, mask: np.ndarray) -> np.ndarray:
        """A mask as SAM's mask prompt: ``(1, h, w) float32``, in the frame of its padded input."""
        height, width = self._predictor.input_size
        prompt_height, prompt_width = self._model.prompt_encoder.mask_input_size
        side = self._model.image_encoder.img_size
        resized = cv2.resize(mask, (width, height), interpolation=cv2.INTER_AREA).astype(np.float32) / 255.0
        padded = np.zeros((side, side), np.float32)
        padded[:height, :width] = resized
        small = cv2.resize(padded, (prompt_width, prompt_height), interpolation=cv2.INTER_AREA)
        return ((small * 2 - 1) * START_LOGIT)[None]
