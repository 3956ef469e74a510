"""Segment Anything behind the same interface: one embedding per picture, then prompts."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

from durian.content_cache import ContentCache
from durian.content_hash import content_hash
from durian.errors import InvalidRequest, WeightsMissing
from durian.masks import HALF, check_size, expand
from durian.segmentation.classic.clicks import enforce
from durian.segmentation.classic.segmenter import largest_face
from durian.segmentation.find_worn import named_mask, named_masks
from durian.segmentation.interface import Segmenter, check_image
from durian.segmentation.torchvision_parts import import_segment_anything
from durian.settings import get_settings
from durian.weights import verify

PREFERRED = "sam_vit_b_01ec64.pth"

START_LOGIT = 8.0
"""Logit of a start mask's inside when it is given to SAM as its mask prompt."""

AGREEMENT = 0.4
"""Least IoU between SAM's answer to a named start and the built-in one; below it SAM meant something else."""

LEEWAY = 0.2
"""How far (outer-eye distances) SAM's answer may reach beyond the built-in start."""

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


class SamSegmenter(Segmenter):
    """Clicks through SAM; named starts are the classic ones, sharpened by it."""

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
        self._last: tuple[str, list, np.ndarray] | None = None

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

    def predict(
        self,
        points: np.ndarray,
        labels: np.ndarray,
        start: np.ndarray | None = None,
    ) -> np.ndarray:
        points, labels = self._check_clicks(points, labels)
        if start is not None:
            check_size(start, self.image)
        if not len(points) and start is None:
            raise InvalidRequest("Nothing says what to select: click the item or use its name.")
        if not len(points) and start is not None:
            return start.copy()
        if start is None and not (labels == 1).any():
            return np.zeros(self.image.shape[:2], np.uint8)
        key = content_hash(start)
        history = [(float(x), float(y), int(label)) for (x, y), label in zip(points, labels, strict=True)]
        mask_input = self._previous_logits(key, history)
        if mask_input is None and start is not None:
            mask_input = self._as_logits(start)
        mask, logits = self._ask(points, labels, None, mask_input)
        self._last = (key, history, logits)
        return enforce(mask, points, labels)

    def named(self, name: str, landmarks: np.ndarray | None = None) -> np.ndarray:
        self._check_name(name)
        landmarks = largest_face(self.image) if landmarks is None else landmarks
        if landmarks is None:
            return np.zeros(self.image.shape[:2], np.uint8)
        prior = named_mask(self.image, landmarks, name)
        # The landmarks outline lips better than SAM does.
        if name == "lips" or not (prior > HALF).any():
            return prior.copy()
        rows, columns = np.nonzero(prior > HALF)
        box = (columns.min(), rows.min(), columns.max(), rows.max())
        points = spread_points(prior > HALF, 3)
        mask, _ = self._ask(points, np.ones(len(points), int), box, self._as_logits(prior))
        limit = expand(prior, LEEWAY * named_masks(self.image, landmarks).unit)
        mask = np.minimum(mask, limit)
        together = ((mask > HALF) & (prior > HALF)).sum() / max(((mask > HALF) | (prior > HALF)).sum(), 1)
        return mask if together >= AGREEMENT else prior.copy()

    def _ask(self, points, labels, box, mask_input) -> tuple[np.ndarray, np.ndarray]:
        """One forward pass: a soft mask ``(H, W) uint8`` and low-resolution logits ``(1, h, w)``."""
        # One click alone is ambiguous: SAM then offers three masks and its own opinion of each.
        several = mask_input is None and len(points) <= 1
        with _lock:
            logits, scores, low = self._predictor.predict(
                point_coords=points if len(points) else None,
                point_labels=labels if len(points) else None,
                box=None if box is None else np.asarray(box, np.float32),
                mask_input=mask_input,
                multimask_output=several,
                return_logits=True,
            )
        best = int(np.argmax(scores))
        soft = 255.0 / (1.0 + np.exp(-np.clip(logits[best], -30, 30)))
        return np.rint(soft).astype(np.uint8), low[best : best + 1]

    def _previous_logits(self, key: str, history: list) -> np.ndarray | None:
        """Logits of the last answer, when these clicks go on from it."""
        if self._last is None:
            return None
        last_key, last_history, logits = self._last
        return logits if last_key == key and history[: len(last_history)] == last_history else None

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


def spread_points(region: np.ndarray, count: int) -> np.ndarray:
    """Up to ``count`` points deep inside a ``(h, w) bool`` region and away from each other, ``(n, 2) float32``."""
    left = np.pad(region, 1).astype(np.uint8)
    points: list[tuple[int, int]] = []
    for _ in range(count):
        depth = cv2.distanceTransform(left, cv2.DIST_L2, 5)
        row, column = np.unravel_index(depth.argmax(), depth.shape)
        if depth[row, column] <= 1 and points:
            break
        points.append((column - 1, row - 1))
        cv2.circle(left, (int(column), int(row)), max(1, round(2.5 * float(depth[row, column]))), 0, -1)
    return np.array(points, np.float32)
