"""Fur, and the hats that are made of it."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from scipy.spatial import cKDTree
from wear_made import EggHead

from durian.synthetic.base.geometry import Material
from durian.synthetic.base.looks import HatLook
from durian.synthetic.head.skull import Dome, level_rim, skull_of
from durian.synthetic.worn import hats
from durian.synthetic.worn.pelt import Pelt

EGG = EggHead()
SKULL = skull_of(EGG)
DOME = Dome.over(SKULL, level_rim(9.0, 2.0), 1.0)
COUNT = 3000
FEET, MIDDLES, TIPS = [0, 1], [2, 3], [4]


def pelt(**changes: object) -> Pelt:
    """Brown fur, always of the same chance."""
    usual = {"colour": (0.2, 0.12, 0.08), "length": 2.0, "stand": 0.5, "frost": 0.0}
    return Pelt(**(usual | changes), rng=np.random.default_rng(4))


def blades(fur: Pelt, **where: object) -> tuple[np.ndarray, np.ndarray]:
    """Places and colours ``(N, 5, 3)`` of hairs on a dome."""
    made = fur.over(DOME.points(1.0), COUNT, SKULL, polar=True, **where)
    assert len(made.triangles) == 3 * COUNT
    return made.vertices.reshape(COUNT, 5, 3), made.colour.reshape(COUNT, 5, 3)


def heights(places: np.ndarray) -> np.ndarray:
    """How far off the skull places are, cm."""
    azimuth, elevation, distance = SKULL.angles(places)
    return distance - SKULL.radius(azimuth, elevation)


class TestPelt:
    def test_hairs_stand_on_the_surface(self):
        places, _ = blades(pelt())
        np.testing.assert_allclose(heights(places[:, FEET].mean(axis=1)), 1.0, atol=0.08)
        assert np.median(heights(places[:, 4])) > 1.4

    def test_they_are_as_long_as_is_asked(self):
        short, long = (
            np.linalg.norm(places[:, 4] - places[:, FEET].mean(axis=1), axis=1)
            for places, _ in (blades(pelt(length=length)) for length in (1.5, 3.0))
        )
        assert 1.1 < np.median(short) < 1.7
        assert 1.8 < np.median(long) / np.median(short) < 2.1

    def test_more_stand_makes_a_thicker_fur(self):
        flat, upright = (np.median(heights(blades(pelt(stand=stand))[0][:, 4])) for stand in (0.3, 0.8))
        assert upright > flat + 0.4

    def test_nap_says_which_way_it_lies(self):
        falls = []
        for nap in (1.0, -1.0):
            places, _ = blades(pelt(), nap=nap)
            beside = places[:, 0, 1] < 10
            falls.append((places[:, 4, 1] - places[:, 0, 1])[beside].mean())
        assert falls[0] < -0.7
        assert falls[1] > 0.2  # its weight draws it down

    def test_it_leaves_no_gaps(self):
        places, _ = blades(pelt())
        surface = DOME.points(1.0)[2:-2].reshape(-1, 3)
        assert cKDTree(places[:, 0]).query(surface)[0].max() < 1.0

    def test_tips_gather_in_tufts(self):
        places, _ = blades(pelt())
        nearest = [cKDTree(ends).query(ends, k=4)[0][:, 3] for ends in (places[:, 0], places[:, 4])]
        assert np.median(nearest[1]) < 0.9 * np.median(nearest[0])

    def test_fur_is_dark_below_and_frost_makes_its_tips_pale(self):
        for frost, tip in ((0.0, 1.0), (1.0, 2.0)):
            _, colours = blades(pelt(frost=frost))
            foot, middle, end = (np.median(colours[:, which], axis=(0, 1)) for which in (FEET, MIDDLES, TIPS))
            assert (foot < 0.6 * middle).all()
            assert (end > 0.95 * tip * middle).all()

    def test_light_comes_deep_into_white_fur(self):
        white, black = pelt(colour=(0.7, 0.7, 0.7)).ground, pelt(colour=(0.01, 0.01, 0.01)).ground
        assert white[0] > 0.8 * 0.7
        assert black[0] < 0.2 * 0.01

    def test_it_stays_out_of_the_head(self):
        places, _ = blades(pelt(stand=0.0, length=4.0))
        assert heights(places).min() > 0.1


def middle(style: str, **numbers: float) -> HatLook:
    drawn = hats.sample_hat_look(np.random.default_rng(2), [style])
    return dataclasses.replace(drawn, parameters=numbers, pattern="plain")


def places_of(look: HatLook, head: object = EGG) -> np.ndarray:
    return hats.make_hat(head, look)[0][0].vertices


class TestHats:
    def test_flaps_hang_over_the_ears(self, head_model):
        for flap in (9.0, 14.0):
            places = places_of(middle("trapper_hat", flap=flap, length=1.5), head_model)
            low = places[(places[:, 1] < 0) & (places[:, 2] > 0)]
            assert (np.abs(low[:, 0]) > 7.5).all()  # none in the face
            assert low[:, 0].max() > 9
            assert low[:, 0].min() < -9
            rim = hats.make_hat(head_model, middle("trapper_hat"))[1].rim(0.0)
            assert rim - flap - 2.5 < places[:, 1].min() < rim - flap + 0.5

    def test_open_flaps_turn_outwards(self):
        shut, wide = (np.ptp(places_of(middle("trapper_hat", opening=turn))[:, 0]) for turn in (0.0, 0.7))
        assert wide > shut + 4

    def test_tied_up_they_stand_beside_the_crown(self):
        beside, before = [], []
        for sides in (6.5, 10.0):
            look = dataclasses.replace(middle("ushanka", sides=sides), pattern="contrast")
            made = hats.make_hat(EGG, look)[0][0]
            fur = made.vertices[np.unique(made.triangles[made.material == Material.FELT])]
            assert fur[:, 1].min() > -4
            beside.append(fur[np.abs(fur[:, 2]) < 2][:, 1].max())
            before.append(fur[(np.abs(fur[:, 0]) < 2) & (fur[:, 2] > 0)][:, 1].max())
        assert beside[1] > beside[0] + 1
        assert abs(before[1] - before[0]) < 0.2

    @pytest.mark.parametrize("style", ["trapper_hat", "ushanka"])
    def test_a_crown_can_be_of_cloth(self, style):
        look = dataclasses.replace(middle(style), pattern="contrast", accent=(0.0, 0.8, 0.0))
        made = hats.make_hat(EGG, look)[0][0]
        cloth = np.unique(made.triangles[made.material == Material.CLOTH])
        np.testing.assert_allclose(made.colour[cloth], np.tile([[0, 0.8, 0]], (len(cloth), 1)))
        assert made.vertices[cloth, 1].max() > 14
        plain = hats.make_hat(EGG, middle(style))[0][0]
        assert set(plain.material) == {Material.FELT}

    def test_a_corner_makes_a_dome_a_cylinder(self):
        round_top, flat_top = (places_of(middle("fur_hat", corner=corner, length=1.5)) for corner in (2.2, 6.0))
        widths = [np.ptp(places[places[:, 1] > places[:, 1].max() - 3][:, 0]) for places in (round_top, flat_top)]
        assert widths[1] > widths[0] + 2
