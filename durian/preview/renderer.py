"""The preview renderer: a request to frames by warping, layering and compositing."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

import cv2
import numpy as np

from durian.geometry.alignment import aligned_mask
from durian.geometry.mesh import EYES, FACE_OVAL, INNER_LIPS, MESH_POINTS, HeadPose, WarpMesh
from durian.geometry.raster import Canvas
from durian.layers.face_light import FaceLight
from durian.preview.base import Base, NewHat, base_of, take_apart
from durian.preview.beard_outline import bare_head
from durian.preview.borrowed_ears import borrowed_ears
from durian.preview.eyes import Eyes
from durian.preview.far_side import FarSide
from durian.preview.in_front import InFront
from durian.preview.kept_hat import SHADOW_STRENGTH, own_hat, shadow, under_hat
from durian.preview.layers import Blend, Layer, build_layer
from durian.preview.lips import Lips
from durian.preview.mouth import mouth_patch
from durian.preview.opening import Patch
from durian.preview.seams import Seam, smooth_outline
from durian.preview.taken_off import kept_glasses
from durian.request import AnimationRequest
from durian.scene import Scene, prepare_scene, scene_overlays
from durian.segmentation.person import person_mask
from durian.side_by_side import side_by_side
from durian.watch import Watch

OPENINGS = (INNER_LIPS, EYES[0][::-1], EYES[1])
"""Contours of the holes in the face, of positive area."""


@dataclass(frozen=True)
class PreparedClip:
    """All that is computed once for a clip; ``in_front``, by the name of a new item, what of the portrait lies before
    it."""

    scene: Scene
    base: Base
    mesh: WarpMesh
    far_side: FarSide
    eyes: Eyes
    mouth: Patch
    lips: Lips
    ears: tuple[Layer, ...]
    layers: tuple[Layer, ...]
    blend: Blend | None
    in_front: dict[str, InFront]


class PreviewRenderer:
    """Any photo, no weights: see :class:`durian.renderer.Renderer` for what each method promises."""

    name = "preview"

    def render(self, request: AnimationRequest, watch: Watch | None = None) -> Generator[np.ndarray, None, None]:
        # Every frame is final and comes in a blink: there is nothing to tell in between.
        yield from animate(prepare_scene(request))

    def render_landmarks(self, request: AnimationRequest, driving: np.ndarray) -> Iterator[np.ndarray]:
        """Frames driven by absolute landmarks ``(F, 478, 3)`` in crop pixels, without retargeting."""
        yield from animate(prepare_scene(request, np.asarray(driving, np.float32)))

    def still(self, request: AnimationRequest, frame: int = 0) -> np.ndarray:
        scene = prepare_scene(request)
        frame = min(max(frame, 0), len(scene.driving) - 1)
        return _draw(prepare_clip(scene), Canvas(scene.size, scene.size), frame)

    def overlays(self, request: AnimationRequest) -> dict[str, np.ndarray]:
        scene = prepare_scene(request)
        return {**scene_overlays(scene), "aligned": _draw(prepare_clip(scene), Canvas(scene.size, scene.size), 0)}

    def close(self) -> None:
        """Holds nothing of its own: what is kept is shared by content, and bounded."""


@lru_cache(maxsize=4)
def _portrait_mesh(landmarks: bytes, size: int) -> WarpMesh:
    """The mesh of a portrait; the same while sliders move."""
    return WarpMesh(np.frombuffer(landmarks, np.float32).reshape(-1, 3), (size, size))


def prepare_clip(scene: Scene) -> PreparedClip:
    """Everything of a clip that does not depend on the frame."""
    size = scene.size
    options = scene.request.options
    wearer = FaceLight.of(scene.image.astype(np.float32), scene.landmarks)
    # Both cost about as much, and are kept.
    head = bare_head(scene) if any(item.attribute.name == "beard" for item in scene.items) else None
    layers, _ = side_by_side(
        lambda: tuple(
            build_layer(item, scene.landmarks, options.light, wearer, scene.kept_hair, head) for item in scene.items
        ),
        lambda: take_apart(scene),
    )
    mesh = _portrait_mesh(scene.landmarks.tobytes(), size)
    if scene.kept_hat.any():
        layers = tuple(under_hat(layer, scene) if layer.name == "hair" else layer for layer in layers)
    canvas = Canvas(size, size)
    blend = Blend(layers[0], layers[1], scene.landmarks, size) if scene.request.mode == "blend" else None
    hair = [layer for layer in layers if layer.name == "hair"]
    if blend is not None and hair:
        shown = [blend.at_rest(canvas, scene.landmarks, size, float(scene.alphas.mean()))]
    else:
        shown = [layer.at_rest(canvas, scene.landmarks, size) for layer in hair]
    new_hair = max(shown, key=lambda item: item[..., 3].sum(), default=None)
    base = base_of(scene, new_hair, _new_hat(scene, layers, canvas) if not scene.kept_hat.any() else own_hat(scene))
    base = _shaded(base, scene, layers)
    return PreparedClip(
        scene=scene,
        base=base,
        mesh=mesh,
        far_side=FarSide(base.foreground, scene),
        eyes=Eyes(base.colour, scene.landmarks, kept_glasses(scene)),
        mouth=mouth_patch(base.colour, scene.landmarks),
        lips=Lips(base.colour, scene.landmarks),
        ears=borrowed_ears(scene, base.colour, wearer),
        layers=layers,
        blend=blend,
        in_front=_in_front(scene, mesh),
    )


def _in_front(scene: Scene, mesh: WarpMesh) -> dict[str, InFront]:
    """The portrait's own hat and hands before new hair, and its hands before a new beard."""
    found = {"hair": np.maximum(scene.kept_hat, scene.hands), "beard": scene.hands}
    return {name: InFront(mask, mesh) for name, mask in found.items() if mask.any()}


def _new_hat(scene: Scene, layers: tuple[Layer, ...], canvas: Canvas) -> NewHat | None:
    """The hat into which one may look, if just one is worn from a picture with a face."""
    hats = [
        (item, layer)
        for item, layer in zip(scene.items, layers, strict=True)
        if item.attribute.name == "hat" and item.attribute.landmarks is not None and item.attribute.strength > 0
    ]
    if len(hats) != 1:
        return None
    ((item, layer),) = hats
    person = person_mask(item.reference.image)
    if not person.any():
        return None
    if item.turn is not None:
        person = np.rint(item.turn.wound(person)).astype(np.uint8)
    filled = aligned_mask(replace(item.attribute, mask=person, trim=0.0), item.mesh, scene.landmarks, scene.size)
    whole = replace(layer, strength=1.0).at_rest(canvas, scene.landmarks, scene.size)
    return NewHat(whole, filled.astype(np.float32) / 255, layer.strength)


def animate(scene: Scene) -> Iterator[np.ndarray]:
    """A scene's frames ``(S, S, 3) uint8``, one after another."""
    clip, canvas = prepare_clip(scene), Canvas(scene.size, scene.size)
    for index in range(len(scene.driving)):
        yield _draw(clip, canvas, index)


def _draw(clip: PreparedClip, canvas: Canvas, index: int) -> np.ndarray:
    """One frame, back to front: plate, surroundings of the face, eyes and mouth, the face, items."""
    scene, mesh = clip.scene, clip.mesh
    driving = scene.driving[index]
    pose = HeadPose.between(scene.landmarks, driving)
    frame = clip.base.plate.copy()
    foreground = clip.base.foreground
    still = np.zeros(len(mesh.outer_triangles), np.float32)
    outer = mesh.outer_positions(driving, pose)
    opened = clip.far_side.opened(driving)
    around = clip.far_side.places_around(opened, np.ascontiguousarray(mesh.rest[:, :2]))
    canvas.draw(frame, foreground, outer, around, mesh.outer_triangles, still)
    face = np.ascontiguousarray(driving[:MESH_POINTS], np.float32)
    box = _box(face, scene.size)
    found = [Seam.of(frame, contour, scene.landmarks, driving, pose, box) for contour in OPENINGS]
    seams = [seam for seam in found if seam is not None]
    clip.eyes.draw(canvas, frame, driving, pose)
    clip.mouth.draw(canvas, frame, driving, pose)
    behind = [frame[seam.part].copy() for seam in seams]
    part = slice(box[1], box[3]), slice(box[0], box[2])
    before = frame[part].copy()
    front = np.ones(len(mesh.face_triangles), np.float32)
    canvas.draw(frame, foreground, face, clip.far_side.places(opened), mesh.face_triangles, front, box=box)
    clip.far_side.draw(canvas, frame, driving, opened, box)
    covered = [canvas.covered(seam.part) for seam in seams]
    moved = np.linalg.norm((driving - scene.landmarks)[FACE_OVAL, :2], axis=1).max()
    smooth_outline(frame, part, before, _face(canvas.covered(part), driving, box), float(moved))
    clip.eyes.draw_lids(canvas, frame, driving)
    clip.lips.draw(canvas, frame, driving)
    for seam, shown, hidden in zip(seams, behind, covered, strict=True):
        seam.smooth(frame, shown, hidden)
    clip.eyes.draw_lashes(frame, driving)
    clip.lips.draw_line(frame, driving)
    if clip.blend is not None:
        without = frame.copy()
        clip.blend.draw(canvas, frame, driving, pose, float(scene.alphas[index]))
        in_front = clip.in_front.get(clip.layers[0].name)
        if in_front is not None:
            in_front.over(canvas, frame, without, driving, outer)
        return frame
    for layer in clip.ears:
        layer.draw(canvas, frame, driving, pose)
    for layer in clip.layers:
        without = frame.copy()
        layer.draw(canvas, frame, driving, pose)
        in_front = clip.in_front.get(layer.name)
        if in_front is not None:
            in_front.over(canvas, frame, without, driving, outer)
    return frame


def _face(covered: np.ndarray, driving: np.ndarray, box: tuple[int, int, int, int]) -> np.ndarray:
    """Where a face was drawn in a ``box`` of the picture, openings and all, ``(h, w) bool``."""
    whole = covered.astype(np.uint8)
    for contour in OPENINGS:
        cv2.fillPoly(whole, [np.rint(driving[contour, :2] - box[:2]).astype(np.int32)], 1)
    return whole > 0


def _box(points: np.ndarray, size: int) -> tuple[int, int, int, int]:
    low, high = np.floor(points[:, :2].min(0)), np.ceil(points[:, :2].max(0)) + 1
    return max(0, int(low[0])), max(0, int(low[1])), min(size, int(high[0])), min(size, int(high[1]))


def _shaded(base: Base, scene: Scene, layers: tuple[Layer, ...]) -> Base:
    """Darken the person below hats, hair and glasses by a soft shadow of their shape."""
    size = scene.size
    canvas = Canvas(size, size)
    light = np.ones((size, size), np.float32)
    alpha = float(scene.alphas.mean())
    weights = (1 - alpha, alpha) if scene.request.mode == "blend" else (1.0,) * len(layers)
    for place, layer in enumerate(layers):
        if layer.name not in SHADOW_STRENGTH:
            continue
        share = weights[place] * SHADOW_STRENGTH[layer.name]
        own = layer.coverage(canvas, scene.landmarks, size)
        light *= 1 - share * shadow(own, scene.eye_distance)
    light += np.maximum(scene.kept_hat, scene.hands) / np.float32(255) * (1 - light)
    if light.min() > 0.999:
        return base
    shaded = base.foreground.astype(np.float32)
    shaded[..., :3] *= light[..., None]
    return Base(base.plate, np.clip(shaded + 0.5, 0, 255).astype(np.uint8), base.colour * light[..., None], base.filled)
