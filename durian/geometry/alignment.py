"""Alignment of a reference's item to a portrait, at rest and in motion.

The reference's pixels are lifted onto its head (landmarks and skull), carried to the portrait's head by the
similarity between the two faces, and fitted to the portrait's own shape where the item touches it. Glasses, hats and
hair then ride on the skull; beards and lips deform with the face.
"""

from __future__ import annotations

from typing import Protocol

import cv2
import numpy as np

from durian.geometry.glasses import GlassesItem, grid_triangles
from durian.geometry.head import Head
from durian.geometry.mesh import CHIN, FACE_OVAL, MESH_POINTS, HeadPose, WarpMesh, smoothstep
from durian.geometry.mirror import MIRRORED_NAMES, hides_a_side, seen_side_twice
from durian.geometry.placing import placed
from durian.geometry.raster import Canvas
from durian.masks import expand
from durian.request import Attribute

SOFT_NAMES = frozenset({"beard", "lips"})
"""Items that deform with the face; all others are rigid on the skull."""

ROUND_NAMES = frozenset({"hair", "hat"})
"""Items whose outline keeps its width when the head turns."""

_TEMPLES = [127, 162, 21, 54, 103, 67, 109, 10, 338, 297, 332, 284, 251, 389, 356]
FIT_POINTS = {
    "hat": _TEMPLES,
    "hair": _TEMPLES,
    "other": [33, 263, 168, 127, 356, 10, 234, 454],
}
"""Landmarks an item of each kind is fitted to, where it touches the head."""
FIT_REACH = 0.5
"""Width, in face widths, over which the fit to those landmarks is averaged."""
GRID_STEPS = 24
"""Cells of an item's mesh along its longer side."""
HAIR_HANG = (0.1, 1.9)
"""Distance below the chin, in face widths, over which long hair stops following the head."""
NOSE_BASE = 2
HAIR_BEND = 0.45
"""Distance below the nose, in face widths, over which hair that follows a head's tilt comes to hang straight down."""
MOST_TILT = 0.7
"""Furthest tilt of a head between two pictures, radians, that hair hangs against: beyond, a picture is turned."""
NO_FACE_BOXES = {
    # Width in outer-eye distances, and the point of the item's box (0 top, 1 bottom) that lies on a landmark.
    "glasses": (1.55, 0.45, 168),
    "hat": (2.3, 0.95, 9),
    "hair": (2.3, 0.35, 10),
    "beard": (1.55, 0.35, 14),
    "lips": (0.62, 0.5, 13),
    "other": (1.2, 0.5, 168),
}
"""Place of an item from a picture without a face (taste); the visitor's handles do the rest."""


class ItemMesh(Protocol):
    """A mesh over a reference picture that a portrait's landmarks place."""

    texture_points: np.ndarray
    """``(V, 2) float32`` pixels of the reference picture."""
    triangles: np.ndarray
    facing: np.ndarray

    def positions(self, driving: np.ndarray, pose: HeadPose) -> np.ndarray:
        """``(V, 3) float32`` pixels of the portrait's crop, for one frame's landmarks and head pose."""


class RigidItem:
    """A hat, hair, or an item from a picture without a face: fitted once, then carried by the skull."""

    def __init__(self, attribute: Attribute, portrait: np.ndarray):
        """``portrait`` ``(478, 3)``: landmarks at rest, in crop pixels."""
        x0, y0, x1, y1 = mask_box(attribute.mask)
        step = max(x1 - x0, y1 - y0) / GRID_STEPS
        columns, rows = int(np.ceil((x1 - x0) / step)) + 1, int(np.ceil((y1 - y0) / step)) + 1
        x, y = np.meshgrid(np.linspace(x0, x1, columns), np.linspace(y0, y1, rows))
        self.texture_points = np.stack([x.ravel(), y.ravel()], 1).astype(np.float32)
        self.triangles = grid_triangles(columns, rows)
        self.facing = np.zeros(len(self.triangles), np.float32)
        if attribute.landmarks is None:
            rest = _anchored(self.texture_points, attribute, portrait)
        else:
            rest = _fitted(self.texture_points, attribute, portrait)
            if attribute.name == "hair":
                rest[:, :2] += _hung(rest[:, :2], attribute.landmarks, portrait)
        self.rest = placed(rest, attribute.placement, portrait)
        head = Head(portrait)
        self.centre, self.round = head.centre, attribute.name in ROUND_NAMES
        self.hold = np.ones(len(self.rest), np.float32)
        if attribute.name == "hair":
            down = head.axes[:2, 1] / np.linalg.norm(head.axes[:2, 1])
            below_chin = (self.rest[:, :2] - portrait[CHIN, :2]) @ down / head.width
            self.hold = (1 - smoothstep(below_chin, *HAIR_HANG)).astype(np.float32)

    def positions(self, driving: np.ndarray, pose: HeadPose) -> np.ndarray:
        moved = pose.shell(self.rest, self.centre) if self.round else pose(self.rest)
        return (self.rest + self.hold[:, None] * (moved - self.rest)).astype(np.float32)


class SoftItem:
    """A beard or lips: the reference's own face mesh, driven by the portrait's landmarks.

    ``shows_a_side_twice``: of a turned reference's beard, one side of the picture is drawn on both of the portrait's.
    """

    def __init__(self, attribute: Attribute, portrait: np.ndarray):
        self.mesh = WarpMesh(attribute.face_landmarks, attribute.mask.shape, still_body=False)
        face = self.mesh.landmarks[:MESH_POINTS]
        self.texture_points = np.ascontiguousarray(np.concatenate([self.mesh.rest, face])[:, :2])
        rest = self._unplaced(portrait, HeadPose.between(self.mesh.landmarks, portrait))
        self.shows_a_side_twice = attribute.name in MIRRORED_NAMES and hides_a_side(attribute.face_landmarks, portrait)
        if self.shows_a_side_twice:
            # The turned face's own mesh would fold where its far side is drawn wide: the portrait's takes its place.
            width, height = np.ptp(portrait[:, :2], axis=0)
            shape = int(portrait[:, 1].max() + 2 * height), int(portrait[:, 0].max() + width)
            own = WarpMesh(portrait, shape, still_body=False)
            self.texture_points = seen_side_twice(self.mesh, rest[: len(self.mesh.rest)], own)
            self.mesh = own
            rest = self._unplaced(portrait, HeadPose.between(portrait, portrait))
        # The outer ring only: inside the face its triangles would lie under, and show through, the face's own.
        ring = self.mesh.outer_triangles[(self.mesh.outer_triangles >= len(FACE_OVAL)).any(1)]
        self.triangles = np.concatenate([ring, self.mesh.face_triangles + len(self.mesh.rest)]).astype(np.int32)
        self.facing = np.ones(len(self.triangles), np.float32)
        self.offset = placed(rest, attribute.placement, portrait) - rest

    def _unplaced(self, driving: np.ndarray, pose: HeadPose) -> np.ndarray:
        return np.concatenate([self.mesh.outer_positions(driving, pose), driving[:MESH_POINTS]])

    def positions(self, driving: np.ndarray, pose: HeadPose) -> np.ndarray:
        moved = self._unplaced(driving, HeadPose.between(self.mesh.landmarks, driving))
        return (moved + pose.scale * self.offset @ pose.rotation.T).astype(np.float32)


def item_mesh(attribute: Attribute, portrait: np.ndarray) -> ItemMesh:
    """Fit an attribute to a portrait's landmarks ``(478, 3)`` at rest, in crop pixels."""
    if attribute.name in SOFT_NAMES and attribute.landmarks is not None:
        return SoftItem(attribute, portrait)
    if attribute.name == "glasses" and attribute.landmarks is not None:
        return GlassesItem(attribute, portrait)
    return RigidItem(attribute, portrait)


def aligned_mask(attribute: Attribute, mesh: ItemMesh, portrait: np.ndarray, size: int) -> np.ndarray:
    """The attribute's mask where it lies on the portrait at rest, ``(size, size) uint8``: ``M_attr`` aligned."""
    own = trimmed_mask(attribute)
    texture = np.repeat(own[..., None], 4, 2)
    frame = np.zeros((size, size, 3), np.uint8)
    still = HeadPose(1.0, np.eye(3), np.zeros(3))
    vertices = mesh.positions(portrait, still)
    Canvas(size, size).draw(frame, texture, vertices, mesh.texture_points, mesh.triangles, mesh.facing)
    return frame[..., 0]


def trimmed_mask(attribute: Attribute) -> np.ndarray:
    """The reference's own mask after its trim slider, ``(H, W) uint8``."""
    if not attribute.trim:
        return attribute.mask
    if attribute.landmarks is not None:
        unit = float(np.linalg.norm(attribute.landmarks[33, :2] - attribute.landmarks[263, :2]))
    else:
        x0, _, x1, _ = mask_box(attribute.mask)
        unit = (x1 - x0) / NO_FACE_BOXES[attribute.name][0]
    return expand(attribute.mask, -attribute.trim * unit)


def mask_box(mask: np.ndarray) -> tuple[int, int, int, int]:
    """Bounding box ``(x0, y0, x1, y1)`` of what is inside a mask, two pixels wider, within the picture."""
    x, y, width, height = cv2.boundingRect((mask > 8).astype(np.uint8))
    limit_y, limit_x = mask.shape
    return max(x - 2, 0), max(y - 2, 0), min(x + width + 1, limit_x - 1), min(y + height + 1, limit_y - 1)


def _fitted(points: np.ndarray, attribute: Attribute, portrait: np.ndarray) -> np.ndarray:
    """Lift points ``(N, 2)`` onto the reference's head and carry them to the portrait's, ``(N, 3)``."""
    reference = np.asarray(attribute.landmarks, np.float32)
    head = Head(reference)
    lifted = np.concatenate([points, head.depth(points)[:, None]], 1)
    carry = HeadPose.between(reference, portrait)
    chosen = FIT_POINTS.get(attribute.name, FIT_POINTS["other"])
    if attribute.name in ROUND_NAMES:
        carried, touching = carry.shell(lifted, head.centre), carry.shell(reference[chosen], head.centre)
    else:
        carried, touching = carry(lifted), carry(reference[chosen])
    error = portrait[chosen] - touching
    squared = ((points[:, None] - reference[None, chosen, :2]) ** 2).sum(-1) / (FIT_REACH * head.width) ** 2
    weight = np.exp(-0.5 * (squared - squared.min(1, keepdims=True)))
    return carried + weight / weight.sum(1, keepdims=True) @ error


def _hung(points: np.ndarray, reference: np.ndarray, portrait: np.ndarray) -> np.ndarray:
    """How far hair at ``points (N, 2)`` of the portrait's crop falls to the side, ``(N, 2)``, where the portrait's head
    is tilted otherwise than the reference's: in both pictures it hangs straight down, not along the head."""
    own, wearer = (Head(np.asarray(each)).axes[:2, 1] for each in (reference, portrait))
    tilt = np.arctan2(wearer[1], wearer[0]) - np.arctan2(own[1], own[0])
    tilt = np.clip((tilt + np.pi) % (2 * np.pi) - np.pi, -MOST_TILT, MOST_TILT)
    carried = np.array([-np.sin(tilt), np.cos(tilt)])
    bend = HAIR_BEND * Head(portrait).width
    below = np.maximum((points - portrait[NOSE_BASE, :2]) @ carried / bend, 0)
    # The integral of a smooth step: how much of the way down is straight down.
    straight = bend * np.where(below < 1, below**3 - below**4 / 2, below - 0.5)
    return straight[:, None] * (np.array([0.0, 1.0]) - carried)


def _anchored(points: np.ndarray, attribute: Attribute, portrait: np.ndarray) -> np.ndarray:
    """Hang an item from a picture without a face on its usual place, upright with the portrait's head, ``(N, 3)``."""
    x0, y0, x1, y1 = mask_box(attribute.mask)
    width_in_eyes, height_fraction, landmark = NO_FACE_BOXES[attribute.name]
    across = (portrait[263, :2] - portrait[33, :2]) * width_in_eyes / max(x1 - x0, 1)
    down = np.array([-across[1], across[0]])
    local = points - np.array([(x0 + x1) / 2, y0 + (y1 - y0) * height_fraction])
    flat = portrait[landmark, :2] + local[:, :1] * across + local[:, 1:] * down
    return np.concatenate([flat, Head(portrait).depth(flat.astype(np.float32))[:, None]], 1)
