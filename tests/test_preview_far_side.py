"""The far side of a turned head, on a made face whose landmarks lie a little beside its outline."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
import pytest
from faces_made import SIDE, SKIN, made_landmarks, made_portrait

from durian.geometry.mesh import FACE_OVAL, MESH_POINTS, face_triangles
from durian.geometry.raster import Canvas
from durian.preview.far_side import FarSide, facing
from durian.request import AnimationRequest, RenderOptions
from durian.scene import prepare_scene

WALL = (20, 220, 40)
BOX = (0, 0, SIDE, SIDE)


def far_half(yaw: float) -> slice:
    """Columns of the half of a picture that is turned away."""
    return slice(None, SIDE // 2) if yaw < 0 else slice(SIDE // 2, None)


@lru_cache
def portrait(yaw: float, brightness: float = 1.0) -> tuple[np.ndarray, FarSide]:
    """A face that ends 2 pixels inside its landmarks' outline, before a green wall, and its far side; its near
    half, without an outline, is ``brightness`` times as bright."""
    landmarks = made_landmarks(yaw=yaw)
    mask = np.zeros((SIDE, SIDE), np.uint8)
    for triangle in np.rint(landmarks[:MESH_POINTS, :2][face_triangles()]).astype(np.int32):
        cv2.fillConvexPoly(mask, triangle, 1)
    face = cv2.erode(cv2.morphologyEx(mask, cv2.MORPH_CLOSE, np.ones((31, 31))), np.ones((5, 5)))
    image = np.where(face[..., None] > 0, np.uint8(SKIN), np.uint8(WALL))
    near = far_half(-yaw)
    image[:, near] = np.array(SKIN) * brightness
    foreground = np.dstack([image, np.full((SIDE, SIDE), 255, np.uint8)])
    scene = prepare_scene(AnimationRequest(made_portrait(image, landmarks), options=RenderOptions(size=SIDE)))
    return foreground, FarSide(foreground, scene)


def drawn(yaw: float, to: float, brightness: float = 1.0, mended: bool = True) -> np.ndarray:
    """The face turned to another direction, ``(S, S, 3) uint8``, black where it is not."""
    foreground, far = portrait(yaw, brightness)
    canvas, frame, driving = Canvas(SIDE, SIDE), np.zeros((SIDE, SIDE, 3), np.uint8), made_landmarks(yaw=to)
    places = (
        far.places(far.opened(driving)) if mended else np.ascontiguousarray(made_landmarks(yaw=yaw)[:MESH_POINTS, :2])
    )
    front = np.ones(len(face_triangles()), np.float32)
    canvas.draw(frame, foreground, driving[:MESH_POINTS].copy(), places, face_triangles(), front, box=BOX)
    if mended:
        far.draw(canvas, frame, driving, far.opened(driving), BOX)
    return frame


def cheek(frame: np.ndarray, yaw: float) -> np.ndarray:
    """The far side between brow and mouth, ``(N, 3) int``."""
    landmarks = made_landmarks(yaw=yaw / 3)
    rows = slice(*np.rint(landmarks[[9, 13], 1]).astype(int))
    part = frame[rows, far_half(yaw)]
    return part[part.any(-1)].astype(int)


@pytest.mark.parametrize("yaw", [-28.0, 28.0])
def test_a_head_that_turns_back_has_no_wall_in_its_cheek(yaw):
    def wall(mended: bool) -> float:
        part = cheek(drawn(yaw, yaw / 3, mended=mended), yaw)
        return float((part[:, 1] > part[:, 0]).mean())

    assert wall(mended=False) > 0.1
    assert wall(mended=True) < 0.03


def test_what_is_made_up_is_skin_in_the_far_sides_light():
    for brightness in (1.0, 0.75):
        part = cheek(drawn(28.0, 28 / 3, brightness), 28.0)
        assert np.percentile(np.abs(part - SKIN).max(1), 90) < 40, brightness


def test_at_rest_each_place_is_its_own_and_nothing_is_laid_over():
    for yaw in (-28.0, 0.0, 28.0):
        _, far = portrait(yaw)
        rest = made_landmarks(yaw=yaw)
        assert (far.places(far.opened(rest)) == rest[:MESH_POINTS, :2]).all()
        assert (far.places_around(far.opened(rest), rest[FACE_OVAL, :2]) == rest[FACE_OVAL, :2]).all()
        frame = np.zeros((SIDE, SIDE, 3), np.uint8)
        far.draw(Canvas(SIDE, SIDE), frame, rest, far.opened(rest), BOX)
        assert not frame.any()


def test_what_surrounds_a_far_cheek_begins_outside_the_face():
    rest, driving = made_landmarks(yaw=28.0), made_landmarks(yaw=28 / 3)
    _, far = portrait(28.0)
    folded = rest[FACE_OVAL, :2][facing(rest)[FACE_OVAL] < -0.1]
    beyond = far.places_around(far.opened(driving), rest[FACE_OVAL, :2])[facing(rest)[FACE_OVAL] < -0.1]
    edge = [rest[np.abs(rest[:MESH_POINTS, 1] - y).argsort()[:12], 0].max() for y in folded[:, 1]]
    assert len(folded) >= 4
    assert (beyond[:, 0] > np.array(edge) - 0.5).mean() > 0.7
    near = facing(rest)[FACE_OVAL] > 0.3
    assert (far.places_around(far.opened(driving), rest[FACE_OVAL, :2])[near] == rest[FACE_OVAL, :2][near]).all()


def test_a_face_seen_from_the_front_keeps_its_own_places_however_it_turns():
    _, far = portrait(0.0)
    assert not far.is_hidden
    assert (far.places(far.opened(made_landmarks(yaw=15.0))) == made_landmarks()[:MESH_POINTS, :2]).all()


def test_facing_is_the_cosine_of_the_angle_to_the_viewer():
    front, turned = facing(made_landmarks()), facing(made_landmarks(yaw=20.0))
    forehead, ears = front[151], front[[234, 454]]
    assert forehead > 0.95
    assert np.abs(ears).max() < 0.3
    assert turned[151] / forehead == pytest.approx(np.cos(np.radians(20)), abs=0.06)
