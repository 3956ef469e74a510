"""A surface for glasses on a head: a shallow wrapped front before the eyes, and a side that runs back to each ear.

A place on glasses is ``(across, down)`` in units of :attr:`GlassesSurface.unit`, 0 at the bridge and the eyes' height,
as somebody straight in front would see it. Any face's landmarks say where that place is in its picture, so glasses seen
from the side become a front view of themselves, and that front view goes on another head at any turn.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import cv2
import numpy as np

from durian.geometry.head import Head
from durian.geometry.mesh import HeadPose
from durian.geometry.placing import placed
from durian.motion import fit_rigid
from durian.request import Attribute

BEFORE_BRIDGE, WRAP = 0.05, 0.22
"""How far the front lies before the nose bridge, and how far it bends back one unit from it. Common frames' base curve,
in units."""
TEMPLE_SHARE = 0.63
"""Of the distance between the temples (landmarks 127 and 356), what the outer eye corners' is on the mean face."""
SIDE_LENGTH = 1.0
"""How much of the front view a side takes beyond its hinge, units."""
EAR_MARGIN = 0.03
"""How far beside the landmarks at the ear a side ends, units."""
FARTHEST = 1.15
"""Half the width in which a front is looked for, units: the widest masks are 1.9 across."""
MIRRORED_FROM = 9.0
"""Degrees of turn from which the farther half is foreshortened so much that the nearer one stands for it."""
ALIKE = 12.0
"""Degrees within which two heads are turned alike."""
CENTRED_FROM = 6.0
"""Degrees of turn from which the place of the bridge in the mask tells how far the front lies before the nose."""
DEPTH_LIMIT, SHIFT_LIMIT = 0.14, 0.15
"""Most by which the bridge in the mask corrects the front's depth, and then its place across, units."""
THIN = 0.4
"""A mask's column lower than this share of the highest one belongs to a side or the bridge, not to the lens."""
LENS_MIDDLE, WIDEST = 0.35, 0.85
"""Where the middle of a lens is at the least, and half the width of the widest front, units."""
HINGE_ROOM = 0.03
"""How far outside the lens a front goes on, units."""
SAMPLES = 100
"""Samples of a mask per unit, to measure it."""
FRONT_COLUMNS, SIDE_COLUMNS, ROWS = 24, 6, 14
FIT_POINTS = [33, 133, 362, 263, 168, 6, 127, 356, 234, 454]
"""Landmarks where glasses touch a face, or that they lie before."""
EYE_CORNERS, BRIDGE, EARS, TEMPLES = [33, 133, 362, 263], [168, 6], [234, 454], [127, 356]


@dataclass(frozen=True)
class GlassesSurface:
    """The surface in front of one face.

    Args:
        landmarks: ``(478, 3)`` pixels.
        hinge: half the width of the front, units.
        forward: how far it lies before the usual place, units.
        shift: how far it is off the middle, units.
        mirrors: whether the nearer half of a turned head's glasses stands for the farther one.
    """

    landmarks: np.ndarray
    hinge: float = FARTHEST
    forward: float = 0.0
    shift: float = 0.0
    mirrors: bool = True

    @cached_property
    def axes(self) -> np.ndarray:
        return Head(self.landmarks).axes

    @cached_property
    def unit(self) -> float:
        """About the outer eye distance in 3-D, pixels; half of it from the face's width at the temples."""
        eyes = np.linalg.norm(self.landmarks[263] - self.landmarks[33])
        temples = np.linalg.norm(self.landmarks[TEMPLES[1]] - self.landmarks[TEMPLES[0]])
        return float(eyes + TEMPLE_SHARE * temples) / 2

    @cached_property
    def yaw(self) -> float:
        """Degrees; above 0 the picture's right half of the face is the farther one."""
        return float(np.degrees(np.arctan2(self.axes[2, 0], self.axes[0, 0])))

    @cached_property
    def origin(self) -> np.ndarray:
        """``(3,)`` pixels: as high as the eyes, as far forward as the nose bridge."""
        eyes, bridge = (self.landmarks[chosen].mean(0) @ self.axes for chosen in (EYE_CORNERS, BRIDGE))
        return self.axes @ np.array([(eyes[0] + bridge[0]) / 2, eyes[1], bridge[2]])

    @cached_property
    def ears(self) -> np.ndarray:
        """``(2, 3)`` the ends of both sides, the picture's left first: across, down, back, units."""
        local = (self.landmarks[EARS] - self.origin) @ self.axes / self.unit
        heights = (self.landmarks[TEMPLES] - self.origin) @ self.axes[:, 1] / self.unit
        outward = np.array([-1, 1]) * EAR_MARGIN
        return np.stack([local[:, 0] + outward, heights, local[:, 2]], 1)

    def local(self, places: np.ndarray) -> np.ndarray:
        """Places ``(..., 2)`` as ``(..., 3)``: across, down, back, units."""
        across, down = places[..., 0], places[..., 1]
        front = np.clip(across, -self.hinge, self.hinge)
        result = np.stack([front + self.shift, down, WRAP * front**2 - BEFORE_BRIDGE - self.forward], -1)
        along = np.clip((np.abs(across) - self.hinge) / SIDE_LENGTH, 0, None)[..., None]
        ear = np.where((across < 0)[..., None], self.ears[0], self.ears[1])
        towards = ear - result
        towards[..., 1] = 0
        return result + along * towards

    def pixels(self, places: np.ndarray) -> np.ndarray:
        """Places ``(..., 2)`` in the picture, ``(..., 3)`` pixels and depth."""
        return self.origin + self.unit * self.local(places) @ self.axes.T

    @classmethod
    def of_mask(cls, landmarks: np.ndarray, mask: np.ndarray) -> GlassesSurface:
        """The surface on which glasses lie that somebody wears, by their mask ``(H, W) uint8``."""
        surface = cls(np.asarray(landmarks, np.float64))
        across, down = _sample_places()
        heights = surface._heights(mask, across, down)
        if abs(surface.yaw) > CENTRED_FROM:
            slope = np.tan(np.radians(surface.yaw))
            near = np.abs(across) < 0.3
            smooth = cv2.GaussianBlur(heights[None], (0, 0), 0.03 * SAMPLES)[0]
            bridge = float(across[near][(smooth + 0.3 * smooth.max() * np.abs(across))[near].argmin()])
            forward = np.clip(bridge / slope, -DEPTH_LIMIT, DEPTH_LIMIT)
            shift = np.clip(bridge - forward * slope, -SHIFT_LIMIT, SHIFT_LIMIT)
            surface = replace(surface, forward=float(forward), shift=float(shift))
            heights = surface._heights(mask, across, down)
        return replace(surface, hinge=_hinge(heights, across, surface.sides))

    @property
    def sides(self) -> tuple[int, ...]:
        """Which halves are seen well enough: both, or the nearer one (-1 is the picture's left)."""
        return (-1, 1) if abs(self.yaw) < MIRRORED_FROM else ((-1,) if self.yaw > 0 else (1,))

    def _heights(self, mask: np.ndarray, across: np.ndarray, down: np.ndarray) -> np.ndarray:
        """How high the mask is at each place across, units."""
        places = np.stack(np.meshgrid(across, down), -1)
        x, y = np.moveaxis(self.pixels(places)[..., :2].astype(np.float32), -1, 0)
        return (cv2.remap(mask, x, y, cv2.INTER_LINEAR) > 127).sum(0).astype(np.float32) / SAMPLES


def _sample_places() -> tuple[np.ndarray, np.ndarray]:
    count = round(FARTHEST * SAMPLES)
    return np.arange(-count, count + 1) / SAMPLES, np.arange(-0.8 * SAMPLES, 1.0 * SAMPLES) / SAMPLES


def _hinge(heights: np.ndarray, across: np.ndarray, sides: tuple[int, ...]) -> float:
    """Half the width of a front whose mask has these heights: where each lens, from its middle outwards, ends."""
    beside = (np.abs(across) > 0.15) & (np.abs(across) < WIDEST)
    low = heights < THIN * heights[beside].max(initial=0)
    found = []
    for side in sides:
        ends = np.abs(across[low & (side * across > LENS_MIDDLE)])
        found.append(min(ends.min(initial=WIDEST), WIDEST))
    return float(np.mean(found)) + HINGE_ROOM


class GlassesItem:
    """Glasses on a portrait: a mesh over their front and sides, carried by the skull.

    ``places`` ``(V, 2)`` are the vertices on the glasses; ``surface`` is the reference's.
    """

    def __init__(self, attribute: Attribute, portrait: np.ndarray):
        """``portrait`` ``(478, 3)``: landmarks at rest, in crop pixels."""
        surface = GlassesSurface.of_mask(attribute.face_landmarks, attribute.mask)
        own = replace(surface, landmarks=np.asarray(portrait, np.float64), shift=0.0)
        # A head turned alike sees each half as the reference does.
        alike = abs(own.yaw) > MIRRORED_FROM and abs(surface.yaw - own.yaw) < ALIKE
        self.surface = replace(surface, mirrors=not alike)
        hinge = self.surface.hinge
        low, high = vertical_extent(attribute.mask, self.surface)
        side = hinge + np.linspace(0, SIDE_LENGTH, SIDE_COLUMNS + 1)[1:]
        across = np.concatenate([-side[::-1], np.linspace(-hinge, hinge, FRONT_COLUMNS + 1), side])
        places = np.stack(np.meshgrid(across, np.linspace(low, high, ROWS)), -1)
        self.places = places.reshape(-1, 2)
        self.triangles = grid_triangles(len(across), ROWS)
        middles = self.places[self.triangles, 0].mean(1)
        self.facing = (np.abs(middles) > hinge).astype(np.float32)
        self.texture_points = self.surface.pixels(as_seen(self.places, self.surface))[:, :2].astype(np.float32)
        rest = own.pixels(self.places) + self._nearer_fit(attribute.face_landmarks, own)
        self.rest = placed(rest, attribute.placement, portrait).astype(np.float32)

    def _nearer_fit(self, reference: np.ndarray, own: GlassesSurface) -> np.ndarray:
        """Movement of the front by the similarity of the two faces where glasses touch them, beyond the few landmarks
        that a surface hangs on, ``(V, 3)`` pixels; towards the ears less and less."""
        carry = HeadPose(*fit_rigid(np.asarray(reference, np.float64)[FIT_POINTS], own.landmarks[FIT_POINTS]))
        hinge = self.surface.hinge
        front = np.stack([np.clip(self.places[:, 0], -hinge, hinge), self.places[:, 1]], 1)
        seen = self.surface if not self.surface.mirrors else replace(self.surface, shift=0.0)
        along = np.clip((np.abs(self.places[:, :1]) - hinge) / SIDE_LENGTH, 0, 1)
        return (1 - along) * (carry(seen.pixels(front)) - own.pixels(front))

    def positions(self, driving: np.ndarray, pose: HeadPose) -> np.ndarray:
        return pose(self.rest).astype(np.float32)


def vertical_extent(mask: np.ndarray, surface: GlassesSurface) -> tuple[float, float]:
    """The rows of the front view between which a mask has anything of the glasses, with some room, units."""
    across, down = _sample_places()
    places = np.stack(np.meshgrid(across[np.abs(across) < surface.hinge + 0.05], down), -1)
    x, y = np.moveaxis(surface.pixels(as_seen(places, surface))[..., :2].astype(np.float32), -1, 0)
    rows = np.flatnonzero((cv2.remap(mask, x, y, cv2.INTER_LINEAR) > 8).any(1))
    if not len(rows):
        return -0.4, 0.5
    return float(down[rows[0]]) - 0.06, float(down[rows[-1]]) + 0.06


def as_seen(places: np.ndarray, surface: GlassesSurface) -> np.ndarray:
    """Places ``(..., 2)``, those of a half that is seen badly moved to the same place of the other half."""
    if len(surface.sides) == 2 or not surface.mirrors:
        return places
    result = np.array(places, np.float64)
    result[..., 0] = surface.sides[0] * np.abs(result[..., 0])
    return result


def grid_triangles(columns: int, rows: int) -> np.ndarray:
    """``(T, 3) int32`` triangles over a grid of vertices, row by row, of positive area where x and y grow."""
    corner = (np.arange(rows - 1)[:, None] * columns + np.arange(columns - 1)).ravel()
    upper = np.stack([corner, corner + 1, corner + columns + 1], 1)
    lower = np.stack([corner, corner + columns + 1, corner + columns], 1)
    return np.concatenate([upper, lower]).astype(np.int32)
