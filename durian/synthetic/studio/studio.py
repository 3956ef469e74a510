"""The studio: renders a person in a view, with exact masks, depth and landmarks."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, fields, replace

import numpy as np

from durian.synthetic.backdrops.backdrops import backdrop
from durian.synthetic.base.geometry import Label, Outfit
from durian.synthetic.base.person import Person, View
from durian.synthetic.base.shapes import vertex_normals
from durian.synthetic.head.binding import STIFFNESS, SkinField, carried
from durian.synthetic.head.head import HeadModel
from durian.synthetic.head.lids import Lids
from durian.synthetic.render.ambient import irradiance
from durian.synthetic.render.camera import Camera, Pose
from durian.synthetic.render.illumination import Lights
from durian.synthetic.render.lighting import Surroundings, key_lamp, rim_lamp, surroundings
from durian.synthetic.render.openings import shade_eyes, shade_mouth
from durian.synthetic.render.raster import rasterise, seen_vertices
from durian.synthetic.render.scatter import scatter
from durian.synthetic.render.sensor import expose
from durian.synthetic.render.shading import Shaded, shade
from durian.synthetic.render.shadows import shadow_map
from durian.synthetic.render.surface import Eyes, SkinMaps, Surface
from durian.synthetic.skin.physique import physique
from durian.synthetic.studio.dressing import Appearance, Dressed, dress
from durian.synthetic.studio.glass import lay_glass
from durian.synthetic.studio.wardrobe import Shelf, Wardrobe

COVERED_BY: dict[str, tuple[Label, ...]] = {
    "hair": (Label.HAIR,),
    "beard": (Label.BEARD,),
    "glasses": (Label.FRAME, Label.LENS),
    "hat": (Label.HAT,),
    "earrings": (Label.EARRING,),
    "cloth": (Label.CLOTH,),
}
"""Attributes that have a soft mask, and the classes that make them up."""

ALL_STRANDS, FEWEST_STRANDS = 1300, 0.5
"""Samples along a picture's side from which on all strands are drawn, and the smallest share of them."""
USUAL_WIDTH = 33.0
"""cm that a picture shows, for what is made once for all views."""
PEOPLE = 4
"""Dressed people that are kept for their next picture; one takes fifty megabytes."""

BACKDROPS = 4
"""Backdrops that are kept for the next frame."""

PLAIN_TONE = (0.60, 0.38, 0.28)
PLAIN_EYES = Eyes(np.array([0.11, 0.055, 0.03], np.float32), 0.1, 0.04, 0.0)
PLAIN_STRANDS = {Label.HAIR: (0.07, 0.035, 0.02), Label.BEARD: (0.06, 0.03, 0.018), Label.BROW: (0.03, 0.018, 0.012)}
PLAIN_BACKGROUND = 0.32
"""Defaults of :meth:`Studio.render_outfit`: a mannequin before a grey wall."""


@dataclass(frozen=True)
class Picture:
    """A rendered view, S x S pixels.

    Attributes:
        rgb: ``(S, S, 3) uint8``.
        classes: ``(S, S) uint8`` :class:`Label` with most samples in each pixel, of what is seen directly or through
            glass.
        coverage: ``(S, S) uint8`` for each attribute: share of the pixel that it covers, 255 being all.
        lens: ``(S, S) uint8`` likewise: how much of the pixel is seen through glass.
        depth: ``(S, S) float32`` cm from the camera, 0 for the background.
        landmarks: ``(68, 2) float32`` x and y in pixels, the middle of the first pixel being at 0.5.
    """

    rgb: np.ndarray
    classes: np.ndarray
    coverage: Mapping[str, np.ndarray]
    lens: np.ndarray
    depth: np.ndarray
    landmarks: np.ndarray


class Studio:
    """Renders heads; it keeps what it made of a person for their next picture. One thread at a time."""

    def __init__(self, head: HeadModel) -> None:
        self.head = head
        self.field, self.stiff_field = SkinField(head), SkinField(head, STIFFNESS)
        self._lids = Lids(head, head.eyeballs)
        self._wardrobe = Wardrobe(head)
        self._people = Shelf(PEOPLE)
        self._backdrops = Shelf(BACKDROPS)
        self._eye_vertices = np.unique(head.render_triangles[head.in_region("sclera_l", "sclera_r")])
        self._mouth_vertices = np.unique(head.render_triangles[head.in_region("gums_tongue", "mouth_socket", "teeth")])

    def render(
        self, person: Person, view: View, size: int = 256, samples: int = 2, background: np.ndarray | None = None
    ) -> Picture:
        """A person as a view shows them: always the same picture, bit for bit.

        Args:
            person: who.
            view: face, pose, place in the picture, light.
            size: pixels along a side.
            samples: the square root of how many a pixel has.
            background: ``(size, size, 3) float32`` linear light; the view's backdrop if left out.
        """
        if background is None:
            seen = view.background, view.light, size
            background = self._backdrops.get(seen, lambda: backdrop(*seen))
        key = (_key(person), size, samples)
        dressed = self._people.get(key, lambda: self._dress(person, size, samples))
        return self.draw(dressed, view, background=background, size=size, samples=samples)

    def _dress(self, person: Person, size: int, samples: int) -> Dressed:
        wardrobe, pixel, shape = self._wardrobe, USUAL_WIDTH / size, physique(self.head, person)
        offsets = self.head.identity(person.identity) + shape.offsets
        outfit, appearance = wardrobe.outfit(person), wardrobe.appearance(person, pixel)
        share = strand_share(size * samples)
        dressed = dress(self.head, self.field, self.stiff_field, offsets, outfit, appearance, share, pixel)
        return replace(dressed, motion=shape.motion)

    def render_outfit(
        self,
        outfit: Outfit,
        view: View | None = None,
        *,
        identity: np.ndarray | None = None,
        appearance: Appearance | None = None,
        background: np.ndarray | None = None,
        size: int = 256,
        samples: int = 2,
    ) -> Picture:
        """A head in clothes of one's own making.

        Args:
            outfit: meshes and strands for the neutral head.
            view: how it is seen; the middle of everything if left out.
            identity: ``(100,)`` weights; the neutral head if left out.
            appearance: colours of the head; a mannequin's if left out.
            background: ``(size, size, 3) float32`` linear light; a grey wall if left out.
            size: pixels along a side.
            samples: the square root of how many a pixel has.
        """
        offsets = np.zeros_like(self.head.neutral) if identity is None else self.head.identity(identity)
        view, appearance = view or View(), appearance or self.plain_appearance()
        share, pixel = strand_share(size * samples), USUAL_WIDTH / size
        dressed = dress(self.head, self.field, self.stiff_field, offsets, outfit, appearance, share, pixel)
        return self.draw(dressed, view, background=background, size=size, samples=samples)

    def plain_appearance(self) -> Appearance:
        """Even skin, brown eyes and hair."""
        skin = np.broadcast_to(np.array(PLAIN_TONE, np.float32), (len(self.head.render_vertices), 3))
        bare = np.zeros(len(self.head.triangles), bool)
        return Appearance(skin, SkinMaps.plain(), PLAIN_EYES, PLAIN_STRANDS, bare)

    def draw(
        self, dressed: Dressed, view: View, *, background: np.ndarray | None = None, size: int = 256, samples: int = 2
    ) -> Picture:
        """Draw somebody who is dressed already; arguments as in :meth:`render_outfit`."""
        head = self.head
        camera, pose = Camera.of(view, size), Pose.of(view.yaw, view.pitch, view.roll)
        around = surroundings(view.light, view.background)
        offsets = head.expression(self._lids.shut(dressed.face, view.expression, dressed.motion))
        if dressed.motion is not None:
            offsets *= dressed.motion
        offsets = self._lids.lifted(dressed.face, offsets)
        face = dressed.face + offsets
        posed_face = pose.move(face, head.neutral[:, 1].copy())

        surface = self._surface(dressed, face, posed_face, offsets, pose, camera)
        index, nearness = rasterise(surface.seen, surface.triangles, size, size, samples**2)
        lights = self._lights(view, around, surface, dressed.casting, size)
        surface.ambient[:] = irradiance(
            seen_vertices(index, surface.triangles, len(surface.position)),
            dressed.visible,
            surface.normal,
            dressed.is_strand,
            dressed.heights,
            pose,
            around,
            lights.rim.direction,
        )
        mouth = self._mouth_vertices
        surface.ambient[mouth] *= shade_mouth(face[head.render_vertices[mouth]], face[head.landmarks68])
        shaded = Shaded.blank(size)
        shade(index, nearness, surface, camera.position, camera.focal, lights, dressed.maps, dressed.eyes, shaded)
        light = self._composed(shaded, size / view.scale, background)
        cover = np.zeros((size, size), np.uint8)
        for glass in dressed.glass:
            lay_glass(glass, pose, camera, nearness, lights.key, around, light, cover)

        labels = shaded.labels
        coverage = {
            name: _share(sum(labels[..., label] for label in which), samples) for name, which in COVERED_BY.items()
        }
        lens = _share(cover, samples)
        coverage["glasses"] = np.minimum(coverage["glasses"], 255 - lens) + lens
        shadow = (255 * np.minimum(shaded.beard, 1) + 0.5).astype(np.uint8)
        coverage["beard"] = np.maximum(coverage["beard"], shadow)
        landmarks = camera.project(posed_face[head.landmarks68])[:2].T
        return Picture(
            rgb=expose(light, view.sensor, view.frame),
            classes=labels.argmax(axis=-1).astype(np.uint8),
            coverage=coverage,
            lens=lens,
            depth=shaded.distance,
            landmarks=np.ascontiguousarray(landmarks),
        )

    def _surface(
        self,
        dressed: Dressed,
        face: np.ndarray,
        posed_face: np.ndarray,
        offsets: np.ndarray,
        pose: Pose,
        camera: Camera,
    ) -> Surface:
        """Everything where it is in this frame; light of the surroundings is still to come."""
        head, drawn = self.head, self.head.render_vertices
        count, meshes = len(dressed.rest), slice(len(drawn), len(drawn) + len(dressed.meshes))
        position, normal = np.empty((count, 3), np.float32), np.empty((count, 3), np.float32)
        position[: len(drawn)] = posed_face[drawn]
        normal[: len(drawn)] = vertex_normals(posed_face, head.triangles)[drawn]
        position[meshes] = pose.move(dressed.meshes, dressed.heights[meshes])
        normal[meshes] = pose.turn(dressed.mesh_normals, dressed.heights[meshes])
        points = carried(dressed.points, dressed.moving, dressed.roots, dressed.root_weights, offsets)
        points = pose.move(points, dressed.heights[meshes.stop :: 2].copy())
        dressed.threads.ribbons(points, camera.position, position[meshes.stop :], normal[meshes.stop :])

        colour, eyes = dressed.colour.copy(), self._eye_vertices
        colour[eyes] = shade_eyes(face[drawn[eyes]], face[head.landmarks68])
        ambient = np.empty((count, 4), np.float32)
        return Surface(
            camera.project(position), position, dressed.rest, normal, colour, dressed.uv, ambient, dressed.triangles,
            dressed.material, dressed.label,
        )  # fmt: skip

    def _lights(self, view: View, around: Surroundings, surface: Surface, casting: np.ndarray, size: int) -> Lights:
        key = key_lamp(view.light)
        shadow = shadow_map(surface.position, casting, key.direction, size)
        return Lights(key, shadow, rim_lamp(view.light), around, float(np.mean(around.sky + around.ground) / 2))

    def _composed(self, shaded: Shaded, pixels_per_cm: float, background: np.ndarray | None) -> np.ndarray:
        """Light ``(S, S, 3) float32`` of skin, everything else and the background together."""
        distance = shaded.skin_distance / np.maximum(shaded.skin, 1e-6)
        scattered = scatter(shaded.skin_light, shaded.skin, distance, pixels_per_cm)
        behind = PLAIN_BACKGROUND if background is None else background
        return shaded.light + shaded.skin_colour * scattered + shaded.empty[..., None] * np.float32(behind)


def strand_share(side: int) -> float:
    """Share of the hair's strands that a picture with so many samples along its side needs.

    Strands that lie closer than a sample are as good as one. It does not follow the view's scale, so that hair stays
    the same while a head comes nearer.
    """
    return min(1.0, max(FEWEST_STRANDS, side / ALL_STRANDS))


def _key(person: Person) -> Hashable:
    values = (getattr(person, field.name) for field in fields(person))
    return tuple(value.tobytes() if isinstance(value, np.ndarray) else value for value in values)


def _share(counts: np.ndarray, samples: int) -> np.ndarray:
    """Counts of samples as ``uint8`` shares of a pixel."""
    return (counts.astype(np.float32) * (255 / samples**2) + 0.5).astype(np.uint8)
