"""The MediaPipe graphs: one of each per process, used one at a time."""

from __future__ import annotations

import os
import threading
import warnings
from functools import lru_cache

import numpy as np

from durian.face.notices import without_notices

BLANK_SIDE = 64
"""Pixels of the picture on which a new graph is tried."""
MOST_HANDS = 4
"""Hands that are looked for in one picture."""
LOCK = threading.RLock()
"""MediaPipe's graphs are not safe to use from two threads."""


@lru_cache(maxsize=1)
def mediapipe_solutions():
    """``mediapipe.solutions``, imported quietly on first use (about a second)."""
    os.environ.setdefault("GLOG_minloglevel", "2")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    # mediapipe 0.10.14 calls a protobuf function that newer protobufs announce the end of, once per graph.
    warnings.filterwarnings("ignore", message=r"SymbolDatabase\.GetPrototype", category=UserWarning)
    import mediapipe

    return mediapipe.solutions


def new_graph(solution: str, name: str, **options):
    """A graph of one of MediaPipe's solutions, such as ``("face_mesh", "FaceMesh")``, made without its notices.

    It runs once on a blank picture: its parts open, and say so, in threads of their own until its first run has ended.
    """
    with LOCK:
        make = getattr(getattr(mediapipe_solutions(), solution), name)
        with without_notices():
            graph = make(**options)
            _run_blank(graph)
    return graph


def restart(graph) -> None:
    """Have a graph of :func:`new_graph` forget what it has seen. It is opened anew for that, again without notices."""
    with LOCK, without_notices():
        graph.reset()
        _run_blank(graph)


def _run_blank(graph) -> None:
    graph.process(np.zeros((BLANK_SIDE, BLANK_SIDE, 3), np.uint8))


@lru_cache(maxsize=2)
def _detector(full_range: bool):
    return new_graph("face_detection", "FaceDetection", min_detection_confidence=0.3, model_selection=int(full_range))


@lru_cache(maxsize=1)
def _still_mesh():
    return new_graph(
        "face_mesh",
        "FaceMesh",
        static_image_mode=True,
        max_num_faces=1,
        refine_landmarks=True,
        min_detection_confidence=0.3,
    )


@lru_cache(maxsize=1)
def _hands():
    return new_graph("hands", "Hands", static_image_mode=True, max_num_hands=MOST_HANDS, min_detection_confidence=0.3)


def new_video_mesh():
    """A fresh face mesh that follows one face from frame to frame; ``close()`` it after use."""
    return new_graph(
        "face_mesh",
        "FaceMesh",
        static_image_mode=False,
        max_num_faces=1,
        refine_landmarks=True,
        min_detection_confidence=0.3,
        min_tracking_confidence=0.5,
    )


def detect_boxes(image: np.ndarray, full_range: bool) -> list[tuple[float, float, float, float, float]]:
    """Boxes ``(x0, y0, x1, y1, score)`` in pixels of ``image`` ``(H, W, 3) uint8``."""
    with LOCK:
        detections = _detector(full_range).process(np.ascontiguousarray(image)).detections or []
    height, width = image.shape[:2]
    boxes = []
    for detection in detections:
        box = detection.location_data.relative_bounding_box
        x0, y0 = box.xmin * width, box.ymin * height
        boxes.append((x0, y0, x0 + box.width * width, y0 + box.height * height, detection.score[0]))
    return boxes


def mesh_landmarks(image: np.ndarray, mesh=None) -> np.ndarray | None:
    """Landmarks ``(478, 3) float32`` in pixels of ``image``, or ``None``.

    Args:
        image: ``(H, W, 3) uint8``; one face filling a fifth to four fifths of it is found best.
        mesh: a video mesh; without one the process's mesh for stills is used.
    """
    with LOCK:
        found = (mesh or _still_mesh()).process(np.ascontiguousarray(image)).multi_face_landmarks
    if not found:
        return None
    height, width = image.shape[:2]
    points = np.array([(p.x, p.y, p.z) for p in found[0].landmark], np.float32)
    # MediaPipe's coordinates run from edge to edge; z is in units of the width.
    return points * np.array([width, height, width], np.float32) - np.array([0.5, 0.5, 0], np.float32)


def hand_landmarks(image: np.ndarray) -> list[np.ndarray]:
    """Landmarks ``(21, 3) float32`` of each hand in pixels of ``image`` ``(H, W, 3) uint8``."""
    with LOCK:
        found = _hands().process(np.ascontiguousarray(image)).multi_hand_landmarks or []
    height, width = image.shape[:2]
    scale, shift = np.array([width, height, width], np.float32), np.array([0.5, 0.5, 0], np.float32)
    return [np.array([(p.x, p.y, p.z) for p in hand.landmark], np.float32) * scale - shift for hand in found]
