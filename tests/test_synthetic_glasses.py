"""Glasses: every style over its ranges, on an egg and on the head model."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial import cKDTree
from wear_made import ALL_GLASSES, EGG, looks_of, worn

from durian.synthetic.base.geometry import Label
from durian.synthetic.base.looks import GlassesLook
from durian.synthetic.worn import glasses
from durian.synthetic.worn.frames import TEMPLE_TIP, outline, outward_normals


class TestGlasses:
    @pytest.mark.parametrize("style", ALL_GLASSES)
    def test_pairs_are_symmetric(self, style):
        for look in looks_of("glasses", style):
            for mesh in worn("glasses", EGG, look):
                mirrored = mesh.vertices * [-1, 1, 1]
                assert cKDTree(mesh.vertices).query(mirrored)[0].max() < 2e-3

    @pytest.mark.parametrize("style", [style for style in ALL_GLASSES if style != "rimless"])
    def test_lenses_lie_inside_frames(self, style, head):
        for look in looks_of("glasses", style):
            frame, glass = worn("glasses", head, look)
            lens = glass.vertices[glass.vertices[:, 0] > 0]
            centre = lens.mean(axis=0)
            front = frame.vertices[(frame.vertices[:, 0] > 0) & (np.abs(frame.vertices[:, 2] - centre[2]) < 2.5)]
            turn = np.linspace(0.2, np.pi - 0.2, 20)
            if glasses.BUILDS[style][0].rims != "upper":
                turn = np.concatenate([turn, turn + np.pi])
            for angle in turn:
                way = np.array([np.cos(angle), np.sin(angle)])
                reach = []
                for places in (front, lens):
                    flat = places[:, :2] - centre[:2]
                    along = flat @ way
                    near = np.abs(flat @ np.array([-way[1], way[0]])) < 0.35
                    reach.append(along[near].max())
                assert reach[0] > reach[1]

    @pytest.mark.parametrize("style", ALL_GLASSES)
    def test_temples_end_behind_the_ears(self, style, head):
        for look in looks_of("glasses", style):
            frame = worn("glasses", head, look)[0]
            end = frame.vertices[np.argmin(frame.vertices[:, 2])]
            np.testing.assert_allclose(end[1:], TEMPLE_TIP, atol=0.6)
            assert 6.5 < abs(end[0]) < 9
            ear = head.neutral[np.unique(head.triangles[head.labels == Label.EAR])]
            assert np.linalg.norm(ear - end, axis=1).min() < 2.2

    @pytest.mark.parametrize("style", ALL_GLASSES)
    def test_glass_is_before_the_eyes_and_the_face_behind_it(self, style, head):
        for look in looks_of("glasses", style):
            glass = worn("glasses", head, look)[1]
            skin = head.skin_vertices[head.neutral[head.skin_vertices, 2] > 4]
            near, index = cKDTree(head.neutral[skin]).query(glass.vertices)
            before = ((glass.vertices - head.neutral[skin[index]]) * head.normals[skin[index]]).sum(axis=1)
            assert before.min() > 0
            assert near.min() > 0.05
            eyes = head.neutral[head.landmarks68[42:48]].mean(axis=0)
            left = glass.vertices[glass.vertices[:, 0] > 0]
            assert np.ptp(left[:, 0]) > 4
            assert left[:, 0].min() < eyes[0] < left[:, 0].max()
            assert left[:, 1].min() < eyes[1] < left[:, 1].max()

    def test_the_seat_follows_the_eyes(self):
        look = GlassesLook("round", {"slip": 0.2})
        glass = glasses.make_glasses(EGG, look)[1]
        eyes = EGG.neutral[EGG.landmarks68[36:48], 1].mean()
        assert (glass.vertices[:, 1].max() + glass.vertices[:, 1].min()) / 2 == pytest.approx(eyes - 0.2, abs=0.05)

    def test_outlines_have_the_size_that_is_asked_for(self):
        plain = outline(5.0, 3.0, 4.0, 0.0, 0.0, 0.0)
        np.testing.assert_allclose(np.ptp(plain, axis=0), [5.0, 3.0], atol=0.02)
        gaps = np.linalg.norm(plain - np.roll(plain, 1, axis=0), axis=1)
        assert np.ptp(gaps) < 0.05 * gaps.mean()
        assert ((plain + 0.1 * outward_normals(plain)) ** 2).sum() > (plain**2).sum()
        assert outline(5.0, 3.0, 4.0, 0.0, 1.0, 0.0)[:, 1].max() > 1.7

    def test_lenses_are_tinted(self):
        clear, gradient = (
            glasses.make_glasses(EGG, GlassesLook("aviator", {}, 0, lens=kind, tint=(0.1, 0.12, 0.1)))[1]
            for kind in ("dark", "gradient")
        )
        np.testing.assert_allclose(clear.lens.tint, [0.1, 0.12, 0.1])
        assert (clear.colour == 1).all()
        above, below = (gradient.colour[extreme(gradient.vertices[:, 1])] for extreme in (np.argmax, np.argmin))
        np.testing.assert_allclose(above * gradient.lens.tint, [0.1, 0.12, 0.1], atol=0.01)
        assert (below * gradient.lens.tint > 0.6).all()

    def test_tortoise_is_mottled_and_metal_has_pads(self):
        plain, metal, mottled = (
            glasses.make_glasses(EGG, GlassesLook("round", {}, 3, finish=finish))[0] for finish in glasses.FINISHES
        )
        assert len(np.unique(plain.colour, axis=0)) == 1
        assert len(np.unique(mottled.colour, axis=0)) > 100
        assert len(metal.vertices) > len(plain.vertices) + 100
