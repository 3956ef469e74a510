"""Layers: an item's texture on a mesh, drawn at each frame's head pose."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from durian.content_cache import ContentCache
from durian.content_hash import content_hash
from durian.geometry.alignment import NO_FACE_BOXES, ItemMesh, SoftItem, item_mesh, mask_box
from durian.geometry.glasses import GlassesItem
from durian.geometry.mesh import HeadPose, smoothstep
from durian.geometry.raster import Canvas
from durian.layers.face_light import FaceLight
from durian.layers.fill import fill
from durian.layers.glasses import take_apart
from durian.layers.glasses_view import FrontView
from durian.layers.turned import Turn
from durian.preview.beard import beard_texture, over_a_beard, own_parts_of
from durian.preview.beard_outline import beyond_head, thickness
from durian.preview.light import cut_out, in_colours_of, mean_change, relit
from durian.preview.sample import Sample
from durian.request import Attribute, AttributeName
from durian.scene import AlignedAttribute

MORPHED_NAMES = frozenset({"hair", "hat", "beard", "other"})
"""Kinds whose outline is morphed when blended; thin things (glasses, lips) and what is seen through are cross-faded."""
TEXTURE_SCALES = (60.0, 400.0)
"""Pixels per unit within which the front view of glasses is looked at."""
FINE_SCALE = 150.0
"""And up to which it is looked at as finely as the reference shows it, however small it is drawn."""
UNDER_HAIR = (-0.02, 0.04)
"""Where beyond the hinge glasses begin to be under hair, units: before it the front lies on a fringe."""
MORPH_EDGE, MORPH_START = 5.0, 0.12
"""Softness of a morphed outline in pixels, and the distance of α from its ends at which it has fully set in."""
BESIDE_FACE, BELOW_FACE, FINER = 0.5, 1.5, 1.5
"""Room for a beard beside and below a face, in its widths and heights, and pixels per pixel of the portrait, where its
texture is laid out there."""
STILL = HeadPose(1.0, np.eye(3), np.zeros(3))

_cuts = ContentCache(entries=8)
_textures = ContentCache(entries=24)
"""At most 1 MB each at 512²."""
_glasses = ContentCache(entries=4)
"""Some 54 bytes a pixel of the front view each."""


@dataclass(frozen=True)
class Layer:
    """A texture on a mesh: ``points`` ``(V, 2)`` in pixels of ``texture``, which is ``(h, w, 4) uint8`` premultiplied,
    or ``(h, w, 6)`` of what is seen through (:func:`durian.geometry.raster.blend_through`)."""

    name: AttributeName
    texture: np.ndarray
    points: np.ndarray
    mesh: ItemMesh
    strength: float

    def draw(self, canvas: Canvas, frame: np.ndarray, driving: np.ndarray, pose: HeadPose, opacity: float = 1) -> None:
        """Lay the item over ``frame`` in place, for one frame's landmarks and head pose."""
        vertices = self.mesh.positions(driving, pose)
        low, high = vertices[:, :2].min(0), vertices[:, :2].max(0)
        box = (
            max(0, int(low[0])),
            max(0, int(low[1])),
            min(frame.shape[1], int(np.ceil(high[0])) + 1),
            min(frame.shape[0], int(np.ceil(high[1])) + 1),
        )
        mesh = self.mesh
        canvas.draw(
            frame, self.texture, vertices, self.points, mesh.triangles, mesh.facing, self.strength * opacity, box
        )

    def at_rest(self, canvas: Canvas, landmarks: np.ndarray, size: int) -> np.ndarray:
        """The item alone where it lies at rest, ``(S, S, 4) float32``, premultiplied colours and alpha 0-255."""
        colour = np.zeros((size, size, 3), np.uint8)
        self.draw(canvas, colour, landmarks, STILL)
        alpha = 255 * self.coverage(canvas, landmarks, size)
        return np.concatenate([colour.astype(np.float32), alpha[..., None]], -1)

    def coverage(self, canvas: Canvas, landmarks: np.ndarray, size: int) -> np.ndarray:
        """How much of each pixel the item hides at rest, ``(S, S) float32`` in [0, 1]."""
        frame = np.zeros((size, size, 3), np.uint8)
        alpha = self.texture[..., 3:].mean(2, keepdims=True).astype(np.uint8)
        alpha = np.ascontiguousarray(np.repeat(alpha, 4, 2))
        replace(self, texture=alpha).draw(canvas, frame, landmarks, STILL)
        return frame[..., 0].astype(np.float32) / 255


class BeardLayer(Layer):
    """A beard, which leaves the lips and the nose free wherever its wearer's own are in a frame."""

    def draw(self, canvas: Canvas, frame: np.ndarray, driving: np.ndarray, pose: HeadPose, opacity: float = 1) -> None:
        part, own = own_parts_of(driving, frame.shape[:2])
        before = frame[part].copy()
        super().draw(canvas, frame, driving, pose, opacity)
        frame[part] = (frame[part] + own[..., None] * (before.astype(np.float32) - frame[part]) + 0.5).astype(np.uint8)

    def under(self, cover: np.ndarray, portrait: np.ndarray) -> BeardLayer:
        """The beard without what ``cover`` ``(S, S) uint8`` hides of it on a portrait, ``(478, 3)`` at rest."""
        height, width = self.texture.shape[:2]
        rest = self.mesh.positions(portrait, STILL)
        places = np.concatenate([self.points, rest[:, 2:]], 1)
        hidden = np.zeros((height, width, 3), np.uint8)
        opaque = np.ascontiguousarray(np.repeat(cover[..., None], 4, 2))
        texture_points = np.ascontiguousarray(rest[:, :2])
        Canvas(width, height).draw(hidden, opaque, places, texture_points, self.mesh.triangles, self.mesh.facing)
        shown = 1 - hidden[..., :1].astype(np.float32) / 255
        return replace(self, texture=(self.texture * shown + 0.5).astype(np.uint8))

    def laid_out(self, portrait: np.ndarray) -> BeardLayer:
        """The beard with a texture of its own for each side, where one side of a reference stands for both: as it lies
        on a portrait, ``(478, 3)`` at rest."""
        rest = self.mesh.positions(portrait, STILL)
        (left, top), (right, bottom) = portrait[:, :2].min(0), portrait[:, :2].max(0)
        start = np.array([left - BESIDE_FACE * (right - left), top], np.float32)
        end = np.array([right + BESIDE_FACE * (right - left), bottom + BELOW_FACE * (bottom - top)])
        width, height = np.ceil(FINER * (end - start)).astype(int)
        places = np.concatenate([FINER * (rest[:, :2] - start), rest[:, 2:]], 1).astype(np.float32)
        canvas, parts = Canvas(width, height), []
        for part in np.split(self.texture, 2, axis=2):
            drawn, opaque = np.zeros((height, width, 3), np.uint8), np.full((*part.shape[:2], 1), 255, np.uint8)
            texture = np.concatenate([part, opaque], 2)
            canvas.draw(drawn, texture, places, self.points, self.mesh.triangles, self.mesh.facing)
            parts.append(drawn)
        return replace(self, texture=np.concatenate(parts, 2), points=np.ascontiguousarray(places[:, :2]))


def build_layer(
    item: AlignedAttribute,
    portrait: np.ndarray,
    light: float,
    wearer: FaceLight,
    hair: np.ndarray | None = None,
    head: np.ndarray | None = None,
) -> Layer:
    """Cut an aligned attribute out of its reference, lit for its wearer.

    Args:
        item: the attribute and its mesh.
        portrait: ``(478, 3)`` landmarks at rest, in crop pixels.
        light: 0 keeps its colours, 1 matches the wearer's light.
        wearer: the portrait's light.
        hair: ``(S, S) uint8`` the portrait's hair, under which sides of glasses and beards go; ``None`` without any.
        head: ``(S, S) float32`` in [0, 1] the portrait's bare head, beyond which beards hardly reach
            (:func:`durian.preview.beard_outline.bare_head`); ``None`` where nobody knows.
    """
    attribute = item.attribute
    if attribute.landmarks is not None:
        scale = HeadPose.between(attribute.landmarks, portrait).scale
    else:
        x0, _, x1, _ = mask_box(attribute.mask)
        eyes = float(np.linalg.norm(portrait[33, :2] - portrait[263, :2]))
        scale = NO_FACE_BOXES[attribute.name][0] * eyes / max(x1 - x0, 1)
    if isinstance(item.mesh, GlassesItem):
        return _glasses_layer(attribute, item.mesh, portrait, light, wearer, hair)
    texture, to_texture = _texture(item, float(scale * attribute.placement.scale), light, wearer)
    points = item.mesh.texture_points @ to_texture[:, :2].T + to_texture[:, 2]
    points = points.astype(np.float32)
    if attribute.name == "beard" and attribute.landmarks is not None:
        layer = BeardLayer(attribute.name, texture, points, item.mesh, attribute.strength)
        covers = [] if hair is None else [over_a_beard(hair, portrait)]
        if head is not None:
            covers.append(beyond_head(head, portrait, thickness(attribute)))
        if not covers:
            return layer
        layer = layer.laid_out(portrait) if isinstance(item.mesh, SoftItem) and item.mesh.shows_a_side_twice else layer
        return layer.under(np.maximum.reduce(covers), portrait)
    return Layer(attribute.name, texture, points, item.mesh, attribute.strength)


def _texture(item: AlignedAttribute, scale: float, light: float, wearer: FaceLight) -> tuple[np.ndarray, np.ndarray]:
    """The item cut out, as of :attr:`Layer.texture`, and the map into it as of :func:`cut_out`; not to be written
    into: while a visitor moves sliders the items stay the same, and are cut out once.

    It is cut out of the reference, and its light measured there, before it is turned.
    """
    attribute, reference = item.attribute, item.reference

    def make(_: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        if attribute.name == "beard" and attribute.landmarks is not None:
            return beard_texture(attribute, scale, light, wearer)
        straight, sample = _cuts.get(reference.image, lambda _: cut_out(reference, scale), key=cut_key)
        if item.turn is not None:
            straight, sample = _turned(straight, sample, item.turn, scale)
        if light > 0 and sample.landmarks is not None:
            colours = relit(straight[..., :3], sample.landmarks, reference, wearer, light)
            straight = np.concatenate([colours, straight[..., 3:]], -1)
        return premultiplied(in_colours_of(wearer, straight, light)), sample.to_texture

    cut_key = content_hash((reference.mask, reference.landmarks, reference.name, reference.trim, scale))
    key = cut_key + content_hash((attribute.landmarks, light, wearer))
    return _textures.get(reference.image, make, key=key)


def _turned(straight: np.ndarray, sample: Sample, turn: Turn, scale: float) -> tuple[np.ndarray, Sample]:
    """An item that was cut out, turned, as of :func:`cut_out`."""
    place = Sample.of(turn.attribute, scale)
    maps = sample.to_texture, place.to_texture, place.alpha.shape[::-1]
    colours, alpha = (turn.wound(np.ascontiguousarray(part), *maps) for part in (straight[..., :3], straight[..., 3]))
    return np.dstack([np.clip(colours, 0, 255), np.clip(alpha, 0, 255)]), place


def _glasses_layer(
    attribute: Attribute,
    mesh: GlassesItem,
    portrait: np.ndarray,
    light: float,
    wearer: FaceLight,
    hair: np.ndarray | None,
) -> Layer:
    scale = replace(mesh.surface, landmarks=np.asarray(portrait, np.float64)).unit * attribute.placement.scale
    scale = float(np.clip(scale, *TEXTURE_SCALES))
    # A thin rim is found and told from the skin in as many pixels as the reference has.
    looked_at = max(scale, min(mesh.surface.unit, FINE_SCALE))
    key = content_hash((attribute.mask, attribute.landmarks, attribute.trim, mesh.surface, looked_at))
    apart = _glasses.get(attribute.image, lambda _: take_apart(attribute, mesh.surface, looked_at), key=key)
    texture = apart.texture.astype(np.float32)
    own = FaceLight.of(attribute.image.astype(np.float32), attribute.face_landmarks)
    texture[..., :3] *= np.exp(mean_change(own, wearer, light))
    texture = in_colours_of(wearer, texture, light)
    if hair is not None:
        texture *= 1 - _under_hair(apart.view, mesh, hair)[..., None]
    height, width = texture.shape[:2]
    size = max(2, round(width * scale / looked_at)), max(2, round(height * scale / looked_at))
    if scale < looked_at:
        parts = np.split(texture, 2, axis=2)
        texture = np.concatenate([cv2.resize(part, size, interpolation=cv2.INTER_AREA) for part in parts], 2)
    stretch = np.array(texture.shape[1::-1]) / [width, height]
    points = ((apart.view.points(mesh.places) + 0.5) * stretch - 0.5).astype(np.float32)
    texture = np.clip(texture + 0.5, 0, 255).astype(np.uint8)
    return Layer(attribute.name, texture, points, mesh, attribute.strength)


def _under_hair(view: FrontView, mesh: GlassesItem, hair: np.ndarray) -> np.ndarray:
    """How much of the glasses' sides lies under a portrait's hair at rest, ``(h, w) float32`` of the front view."""
    columns, rows = len(np.unique(mesh.places[:, 0])), len(np.unique(mesh.places[:, 1]))
    height = view.mask.shape[0]
    at = mesh.places.reshape(rows, columns, 2)
    column = np.interp(view.across, at[0, :, 0], np.arange(columns))
    row = np.interp(view.low + np.arange(height) / view.scale, at[:, 0, 1], np.arange(rows))
    across, down = (part.astype(np.float32) for part in np.meshgrid(column, row))
    x, y = (
        cv2.remap(mesh.rest[:, k].reshape(rows, columns).astype(np.float32), across, down, cv2.INTER_LINEAR)
        for k in (0, 1)
    )
    covered = cv2.remap(hair, x, y, cv2.INTER_LINEAR).astype(np.float32) / 255
    return covered * smoothstep(np.abs(view.across), *(mesh.surface.hinge + np.array(UNDER_HAIR)))


def premultiplied(straight: np.ndarray) -> np.ndarray:
    """``(h, w, 4) float32`` straight RGBA, 0-255, to ``uint8`` premultiplied."""
    alpha = straight[..., 3:]
    return np.clip(np.concatenate([straight[..., :3] * (alpha / 255), alpha], -1) + 0.5, 0, 255).astype(np.uint8)


class Blend:
    """Two layers of one kind, mixed by α: 0 draws the first alone, 1 the second, exactly.

    Between them the outline is the level set of the mixed signed distances, so the middle is one solid shape and not
    two ghosts; colours are mixed inside it.

    Args:
        first, second: the layers at α = 0 and 1.
        landmarks: ``(478, 3)`` of the portrait at rest, in crop pixels.
        size: of the crop.
    """

    def __init__(self, first: Layer, second: Layer, landmarks: np.ndarray, size: int):
        self.ends = (first, second)
        see_through = any(layer.texture.shape[2] == 6 for layer in self.ends)
        self.morphs = first.name in MORPHED_NAMES and not see_through
        self._texture: tuple[float, np.ndarray] | None = None
        if not self.morphs:
            return
        canvas = Canvas(size, size)
        at_rest = [replace(layer, strength=1.0).at_rest(canvas, landmarks, size) for layer in self.ends]
        self._mattes = [end[..., 3] for end in at_rest]
        self._distances = [_signed_distance(matte) for matte in self._mattes]
        self._colours = [_extended(end) for end in at_rest]
        # The mix is a picture in the portrait's own pixels: an attribute that is already where it belongs.
        both = np.clip(np.maximum(*self._mattes), 0, 255).astype(np.uint8)
        carried = Attribute(np.zeros((size, size, 3), np.uint8), both, landmarks, first.name)
        self._mesh = item_mesh(carried, landmarks)

    def draw(self, canvas: Canvas, frame: np.ndarray, driving: np.ndarray, pose: HeadPose, alpha: float) -> None:
        """Lay the mix over ``frame`` in place."""
        first, second = self.ends
        if alpha <= 0 or alpha >= 1:
            (first if alpha <= 0 else second).draw(canvas, frame, driving, pose)
        elif not self.morphs:
            first.draw(canvas, frame, driving, pose, 1 - alpha)
            second.draw(canvas, frame, driving, pose, alpha)
        else:
            strength = (1 - alpha) * first.strength + alpha * second.strength
            mixed = Layer(first.name, self._mixed(alpha), self._mesh.texture_points, self._mesh, strength)
            mixed.draw(canvas, frame, driving, pose)

    def at_rest(self, canvas: Canvas, landmarks: np.ndarray, size: int, alpha: float) -> np.ndarray:
        """The mix alone at rest, ``(S, S, 4) float32`` as of :meth:`Layer.at_rest`."""
        if alpha <= 0 or alpha >= 1 or not self.morphs:
            return self.ends[int(alpha > 0.5)].at_rest(canvas, landmarks, size)
        return self._mixed(alpha).astype(np.float32)

    def _mixed(self, alpha: float) -> np.ndarray:
        if self._texture is not None and self._texture[0] == alpha:
            return self._texture[1]
        distance = (1 - alpha) * self._distances[0] + alpha * self._distances[1]
        outline = np.clip(distance / MORPH_EDGE + 0.5, 0, 1) * 255
        # Close to an end, that end's own soft matte; between them, the morphed outline.
        between = smoothstep(min(alpha, 1 - alpha), 0, MORPH_START)
        matte = between * outline + (1 - between) * ((1 - alpha) * self._mattes[0] + alpha * self._mattes[1])
        colour = (1 - alpha) * self._colours[0] + alpha * self._colours[1]
        texture = premultiplied(np.concatenate([colour, matte[..., None]], -1))
        self._texture = (alpha, texture)
        return texture


def _signed_distance(matte: np.ndarray) -> np.ndarray:
    inside = (matte > 127).astype(np.uint8)
    return cv2.distanceTransform(inside, cv2.DIST_L2, 5) - cv2.distanceTransform(1 - inside, cv2.DIST_L2, 5)


def _extended(premultiplied_item: np.ndarray) -> np.ndarray:
    """An item's straight colours continued beyond its outline, ``(S, S, 3) float32``."""
    alpha = premultiplied_item[..., 3:]
    straight = np.clip(premultiplied_item[..., :3] * 255 / np.maximum(alpha, 1), 0, 255)
    return fill(straight, (alpha[..., 0] > 200).astype(np.float32))
