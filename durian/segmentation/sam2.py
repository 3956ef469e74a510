"""Segment Anything 2.1, by transformers, behind the same interface; off unless asked for."""

from __future__ import annotations

import threading
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from durian.content_cache import ContentCache
from durian.errors import WeightsMissing
from durian.segmentation.interface import check_image
from durian.segmentation.prompted import START_LOGIT, PromptedSegmenter, asks_for_several, softened
from durian.settings import get_settings

if TYPE_CHECKING:
    from torch import Tensor
    from transformers import Sam2Model

PREFERRED = "sam2.1-hiera-tiny"
MEAN, SPREAD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Of ImageNet's colours in [0, 1], as the encoder was trained."""
STRONGEST_LOGIT = 32.0
"""Logits of an answer are cut to this before they are the next prompt, as in the published predictor."""

_embeddings = ContentCache(entries=8)
_lock = threading.Lock()


def find_sam2() -> Path | None:
    """The model's folder in the weights folder, as the hub lays it out; the tiny one first; or ``None``."""
    found = [path.parent for path in sorted(get_settings().weights.glob("sam2*/config.json"))]
    found = [folder for folder in found if any(folder.glob("*.safetensors"))]
    return next((folder for folder in found if folder.name == PREFERRED), found[0] if found else None)


@lru_cache(maxsize=2)
def load_sam2(folder: Path, device: str = "cpu") -> Sam2Model:
    """The model of a folder in float32, loaded once per process.

    Args:
        folder: ``config.json`` and safetensors.
        device: ``cpu`` or ``cuda``.

    Raises:
        WeightsMissing: they are no model's, or not all of it.
    """
    import torch
    from transformers import Sam2Model

    by_hand = f"put the files of facebook/{PREFERRED} into weights/{PREFERRED}/"
    try:
        model, about = Sam2Model.from_pretrained(
            folder, local_files_only=True, use_safetensors=True, dtype=torch.float32, output_loading_info=True
        )
    except Exception as error:  # damaged files raise whatever their readers do
        raise WeightsMissing(f"The model in {folder.name} cannot be opened: {by_hand}.") from error
    if about["missing_keys"]:
        # The library would fill them with random numbers and only warn.
        raise WeightsMissing(
            f"The model in {folder.name} lacks tensors such as {min(about['missing_keys'])}: {by_hand}."
        )
    return model.eval().requires_grad_(False).to(device)


class Sam2Segmenter(PromptedSegmenter):
    """Clicks through SAM 2.1.

    Args:
        folder: the model's; the one in the weights folder if not given.
        device: the settings' if not given.

    Raises:
        WeightsMissing: there is none, or it cannot be opened.
    """

    name = "sam2"

    def __init__(self, folder: Path | None = None, device: str | None = None) -> None:
        super().__init__()
        folder = folder or find_sam2()
        if folder is None:
            raise WeightsMissing(
                f"There is no SAM 2.1 in weights: put the files of facebook/{PREFERRED} into weights/{PREFERRED}/."
            )
        self._device = device or get_settings().torch_device()
        self._model = load_sam2(Path(folder), self._device)
        self._key = f"{folder}{self._device}"
        self._features: list[Tensor] = []

    def set_image(self, image: np.ndarray) -> None:
        """Take a picture and compute its embedding, at once when it was seen before."""
        check_image(image)
        self._image = image
        self._last = None
        self._features = [part.to(self._device) for part in _embeddings.get(image, self._embed, key=self._key)]

    def _embed(self, image: np.ndarray) -> list[Tensor]:
        import torch
        from torch.nn import functional

        pixels = torch.from_numpy(image).to(self._device).permute(2, 0, 1)[None].float() / 255
        pixels = functional.interpolate(pixels, (self._side, self._side), mode="bilinear", antialias=True)
        mean, spread = (pixels.new_tensor(values)[:, None, None] for values in (MEAN, SPREAD))
        with _lock:
            return [part.cpu() for part in self._model.get_image_embeddings((pixels - mean) / spread)]

    @property
    def _side(self) -> int:
        """Pixels of the network's square, on to which a picture is stretched."""
        return self._model.prompt_encoder.input_image_size

    def _ask(
        self, points: np.ndarray, labels: np.ndarray, box: tuple | None, mask_input: np.ndarray | None
    ) -> tuple[np.ndarray, np.ndarray]:
        import torch
        from torch.nn import functional

        prompts = {"input_points": self._placed(points)[None, None], "input_labels": labels[None, None]}
        if box is not None:
            prompts["input_boxes"] = self._placed(np.reshape(box, (2, 2))).reshape(1, 1, 4)
        if mask_input is not None:
            prompts["input_masks"] = mask_input[None]
        given = {name: torch.tensor(value, device=self._device) for name, value in prompts.items()}
        with _lock, torch.inference_mode():
            answer = self._model(
                image_embeddings=list(self._features), multimask_output=asks_for_several(points, mask_input), **given
            )
            low = answer.pred_masks[0, 0, int(answer.iou_scores[0, 0].argmax())]
            logits = functional.interpolate(low[None, None], self.image.shape[:2], mode="bilinear")[0, 0]
        return softened(logits.cpu().numpy()), low[None].clamp(-STRONGEST_LOGIT, STRONGEST_LOGIT).cpu().numpy()

    def _placed(self, points: np.ndarray) -> np.ndarray:
        """Points ``(N, 2)`` of the picture in the network's square, ``float32``, pixel centres at integers in both."""
        height, width = self.image.shape[:2]
        return ((np.asarray(points, np.float32) + 0.5) * self._side / (width, height) - 0.5).astype(np.float32)

    def _as_logits(self, mask: np.ndarray) -> np.ndarray:
        height, width = self._model.prompt_encoder.mask_input_size
        small = cv2.resize(mask, (width, height), interpolation=cv2.INTER_AREA).astype(np.float32) / 255.0
        return ((small * 2 - 1) * START_LOGIT)[None]
