"""A person's worn things from their looks, as meshes and strands, and the colours of their head."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from functools import partial
from typing import TypeVar

import numpy as np

from durian.synthetic.base.geometry import Outfit, Strands
from durian.synthetic.base.looks import ClothLook
from durian.synthetic.base.person import Person
from durian.synthetic.base.wear import Look
from durian.synthetic.hair.beard import make_beard
from durian.synthetic.hair.brows import make_brows
from durian.synthetic.hair.drape import ClothFit, laid_on
from durian.synthetic.hair.hair import make_hair, scalp_colour, scalp_shade
from durian.synthetic.head.head import HeadModel
from durian.synthetic.render.surface import Eyes
from durian.synthetic.skin.atlas import chance, side_for
from durian.synthetic.skin.complexion import skin_maps
from durian.synthetic.studio.dressing import Appearance
from durian.synthetic.worn.cloth import make_cloth
from durian.synthetic.worn.earrings import make_earrings
from durian.synthetic.worn.glasses import make_glasses
from durian.synthetic.worn.hats import make_hat

KEPT = 48
"""Things that are kept for the next person who wears them; a head of hair takes ten megabytes."""
SKINS = 4
"""Skin maps that are kept; those of a picture of 512 pixels take thirteen megabytes."""
UNDER_HAIR = 0.5
"""Brightness of hair that is painted on the scalp, relative to that of its strands: it lies in their shade."""
SCALP = 0.5
"""Share of hair from which on the scalp counts as hair."""
IRIS_RADIUS, PUPIL_RADIUS = (0.096, 0.106), (0.032, 0.052)
"""Shares of the eyeball's texture: irises differ little, pupils with the light and with age, which narrows them."""

Kept = TypeVar("Kept")


class Shelf:
    """Keeps what was made last, by key."""

    def __init__(self, room: int) -> None:
        self._room = room
        self._things: OrderedDict[Hashable, object] = OrderedDict()

    def get(self, key: Hashable, make: Callable[[], Kept]) -> Kept:
        """The thing of a key, made if it is not there."""
        if key not in self._things:
            self._things[key] = make()
        self._things.move_to_end(key)
        while len(self._things) > self._room:
            self._things.popitem(last=False)
        return self._things[key]


class Wardrobe:
    """Makes what people wear, each thing once."""

    def __init__(self, head: HeadModel) -> None:
        self.head = head
        self._shelf = Shelf(KEPT)
        self._skins = Shelf(SKINS)

    def outfit(self, person: Person) -> Outfit:
        """Everything on a person's head, made for the neutral one."""
        head, get = self.head, self._shelf.get
        hat, fit = get(person.hat, lambda: make_hat(head, person.hat))
        meshes = [*hat]
        for look, make in (
            (person.glasses, make_glasses),
            (person.earrings, make_earrings),
            (person.cloth, make_cloth),
        ):
            meshes += get(look, lambda look=look, make=make: make(head, look))
        strands = [*get(person.brows, lambda: make_brows(head, person.brows))]
        for look, make in ((person.hair, make_hair), (person.beard, make_beard)):
            strands += get((look, person.cloth), partial(self._above_cloth, make, look, person.cloth))
        return Outfit(meshes, strands, fit)

    def _above_cloth(self, make: Callable[..., list[Strands]], look: Look, cloth: ClothLook) -> list[Strands]:
        """Hair or a beard, outside of clothes."""
        strands = make(self.head, look)
        if not cloth.is_worn:
            return strands
        fit = ClothFit.of(self._shelf.get(cloth, lambda: make_cloth(self.head, cloth)))
        return [laid_on(part, fit) for part in strands]

    def appearance(self, person: Person, pixel: float = 0.0) -> Appearance:
        """Colours of a person's head: skin, hair painted on the scalp, irises.

        Args:
            person: who.
            pixel: size of a picture's pixels, cm; the skin's textures are no finer than they need to be.
        """
        head = self.head
        places = head.neutral[head.render_vertices]
        skin = np.broadcast_to(np.array(person.tone, np.float32), places.shape)
        share = scalp_shade(places, person.hair)[:, None]
        skin = skin + share * (UNDER_HAIR * scalp_colour(person.hair) - skin)
        middles = head.middles
        return Appearance(
            skin=skin.astype(np.float32),
            maps=self._skins.get(_skin_key(person, pixel), lambda: skin_maps(head, person, pixel)),
            eyes=_eyes(person),
            strands={},
            scalp=head.skin_triangles & (scalp_shade(middles, person.hair) > SCALP),
        )


def _skin_key(person: Person, pixel: float) -> Hashable:
    numbers = person.seed, person.feminine, person.age, person.freckles, person.makeup
    return *numbers, tuple(person.tone), tuple(person.lips), person.beard, person.brows, side_for(pixel)


def _eyes(person: Person) -> Eyes:
    rng = chance(person.seed, "irises")
    radius, pupil = rng.uniform(*IRIS_RADIUS), rng.uniform(*PUPIL_RADIUS)
    narrower = 1 - 0.25 * np.clip((person.age - 40) / 45, 0, 1)
    return Eyes(np.array(person.iris, np.float32), float(radius), float(pupil * narrower), float(person.seed % 97))
