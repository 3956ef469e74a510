"""Identity preservation: ArcFace similarity of portrait and frames."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from durian.errors import WeightsMissing
from durian.evaluation.metrics.case import Case
from durian.evaluation.metrics.interface import Metric
from durian.evaluation.metrics.weights import File, kept, why_missing
from durian.face.landmarks import detect_upscaled
from durian.settings import get_settings

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

ARCFACE = File(
    name="w600k_r50.onnx",
    what="ArcFace, ResNet-50 of WebFace600K,",
    url="https://huggingface.co/public-data/insightface/resolve/main/models/buffalo_l/w600k_r50.onnx",
    digest="4c06341c33c2ca1f86781dab0e829f88ad5b64be9fba56e56bc9ebdefc619e43",
)
"""Of InsightFace's buffalo_l pack, for research without profit."""
SIDE = 112
PLACES = np.array([(38.2946, 51.6963), (73.5318, 51.5014), (56.0252, 71.7366), (41.5493, 92.3655), (70.7299, 92.2041)])
"""Places at which ArcFace expects the eyes, the nose and the corners of the mouth, in pixels of its input
(InsightFace's ``arcface_dst``), from the picture's left to its right."""
POINTS = ((33, 133), (362, 263), (4,), (61,), (291,))
"""The landmarks whose means these are: eyes by their corners, because irises wander."""


class Identity(Metric):
    """Against the portrait, not the true frames: it is the portrait's identity that must not be lost."""

    name, title = "identity", "ArcFace identity"
    higher_is_better, best = True, 1.0
    kind, needs_truth, needs_weights = "reference", False, True
    definition = "Cosine of the ArcFace embeddings of portrait and rendered frame, averaged over frames with a face."

    def available(self) -> str | None:
        return why_missing(arcface)

    def score(self, case: Case) -> dict[str, float]:
        portrait = detect_upscaled(case.portrait)
        seen = {number: landmarks for number, landmarks in enumerate(case.found) if landmarks is not None}
        if portrait is None or not seen:
            return {}
        faces = [aligned_face(case.portrait, portrait)]
        faces += [aligned_face(case.frames[number], landmarks) for number, landmarks in seen.items()]
        embeddings = face_embeddings(np.stack(faces))
        return {"all": float((embeddings[1:] @ embeddings[0]).mean())}


def aligned_face(image: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
    """The face as ArcFace was trained on it, ``(112, 112, 3) uint8``.

    Args:
        image: ``(H, W, 3) uint8``.
        landmarks: ``(478, 2 or 3)`` pixels of it.
    """
    from skimage.transform import SimilarityTransform

    points = np.stack([landmarks[list(group), :2].mean(0) for group in POINTS]).astype(np.float64)
    matrix = SimilarityTransform.from_estimate(points, PLACES).params[:2]
    return cv2.warpAffine(image, matrix, (SIDE, SIDE), flags=cv2.INTER_LINEAR)


def face_embeddings(faces: np.ndarray) -> np.ndarray:
    """``(N, D) float64`` of length 1, of ``(N, 112, 112, 3) uint8`` RGB.

    Raises:
        WeightsMissing: the model is not to be had.
    """
    session = arcface()
    name = session.get_inputs()[0].name
    inputs = ((faces.astype(np.float32) - 127.5) / 127.5).transpose(0, 3, 1, 2)
    # One by one: exported models differ in whether they take several.
    rows = np.concatenate([session.run(None, {name: face[None]})[0] for face in inputs]).astype(np.float64)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


@kept
def arcface() -> InferenceSession:
    """The recogniser.

    Raises:
        WeightsMissing: its weights or the package that runs them are not to be had.
    """
    try:
        import onnxruntime
    except ImportError as error:
        raise WeightsMissing("ArcFace needs onnxruntime: pip install -r requirements-evaluation.txt.") from error
    wanted = ["CPUExecutionProvider"]
    if get_settings().torch_device() == "cuda":
        wanted.insert(0, "CUDAExecutionProvider")
    usable = [name for name in wanted if name in onnxruntime.get_available_providers()]
    path = ARCFACE.require()
    try:
        return onnxruntime.InferenceSession(str(path), providers=usable)
    except Exception as error:
        # The runtime's own exceptions share no base but this.
        raise WeightsMissing(f"{path.name} cannot be opened: delete it, so that it is fetched again.") from error
