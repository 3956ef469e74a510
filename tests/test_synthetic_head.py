"""The head: offsets equal a plain computation, samples lie on the skin, and different seeds are different people."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from facekit_made import VERTICES, FaceKit, write_facekit

from durian.errors import InvalidRequest, WeightsMissing
from durian.synthetic.base.geometry import Label, Material
from durian.synthetic.head.facekit import build_model
from durian.synthetic.head.head import HeadModel
from durian.synthetic.head.identities import Separation, head_shapes, separation, shape_distances

MIRRORED = np.array(
    [
        *(*range(16, -1, -1), *range(26, 16, -1), 27, 28, 29, 30, *range(35, 30, -1)),
        *(45, 44, 43, 42, 47, 46, 39, 38, 37, 36, 41, 40),
        *(*range(54, 47, -1), *range(59, 54, -1), *range(64, 59, -1), 67, 66, 65),
    ]
)
"""The landmark on the other side of each of the 68."""


@pytest.fixture(scope="module")
def facekit(tmp_path_factory) -> FaceKit:
    return write_facekit(tmp_path_factory.mktemp("facekit") / "clone")


@pytest.fixture(scope="module")
def model_file(facekit: FaceKit) -> Path:
    return build_model(facekit.folder, facekit.folder.parent / "model.npz")


@pytest.fixture(scope="module")
def flat_head(model_file: Path) -> HeadModel:
    """The head of twenty polygons: no face, but every part of a model."""
    return HeadModel.load(model_file)


class TestWithAnyModel:
    def test_what_is_not_drawn_is_left_out(self, flat_head):
        assert set(flat_head.region) == {0, 1, 2, 3, 4, 5, 6, 7, 8, 10}
        assert flat_head.region_names[8] == "sclera_l"
        assert flat_head.skin_triangles.sum() == flat_head.in_region("face_narrow", "face_wide", "head_neck").sum() == 6
        assert flat_head.skin_vertices.tolist() == list(range(12))
        assert len(flat_head.neutral) == VERTICES

    def test_offsets_are_those_of_the_meshes(self, flat_head, facekit):
        weights = np.array([0.7, -1.3])
        expected = sum(w * (mesh - facekit.neutral) for w, mesh in zip(weights, facekit.identities))
        np.testing.assert_allclose(flat_head.identity(weights), expected, atol=4e-3)  # float16 of offsets up to 3
        amounts = {"mouthSmile_L": 0.5, "eyeBlink_L": 2.0}
        expected = sum(a * (facekit.expressions[name] - facekit.neutral) for name, a in amounts.items())
        np.testing.assert_allclose(flat_head.expression(amounts), expected, atol=2e-3)

    def test_vertices_are_split_only_at_seams(self, flat_head):
        np.testing.assert_array_equal(flat_head.render_vertices[flat_head.render_triangles], flat_head.triangles)
        assert len(np.unique(flat_head.render_vertices)) == len(flat_head.render_vertices)

    def test_lashes_run_from_root_to_tip(self, flat_head, facekit):
        lashes = flat_head.lashes
        assert lashes.shape == (4, 2)
        assert set(lashes.ravel()) == set(range(VERTICES - 8, VERTICES))
        u, v = facekit.uv[lashes].transpose(2, 0, 1)
        assert (u[:, 0] == u[:, 1]).all()
        assert (v[:, 0] > v[:, 1]).all()

    def test_an_unknown_expression_is_refused(self, flat_head):
        with pytest.raises(InvalidRequest, match="no expression 'smile': use eyeBlink_L, mouthSmile_L"):
            flat_head.expression({"smile": 1.0})

    def test_a_wrong_number_of_weights_is_refused(self, flat_head):
        with pytest.raises(ValueError, match=r"2 weights, not \(3,\)"):
            flat_head.identity(np.zeros(3))

    def test_an_empty_mask_is_refused(self, flat_head):
        with pytest.raises(ValueError, match="No triangles"):
            flat_head.sample_surface(np.zeros(len(flat_head.triangles), bool), 3, np.random.default_rng(0))

    def test_the_environment_names_the_file(self, model_file, settings_environment):
        settings_environment(head_model=model_file)
        assert len(HeadModel.load().neutral) == VERTICES

    def test_a_missing_model_says_how_to_get_one(self, tmp_path, settings_environment):
        settings_environment(head_model=tmp_path / "none.npz")
        with pytest.raises(WeightsMissing) as missing:
            HeadModel.load()
        for part in ("none.npz", "clone https://", "synth build-model --facekit CLONE -o FILE", "DURIAN_HEAD_MODEL"):
            assert part in str(missing.value)

    @pytest.mark.parametrize("content", [b"", b"PK\x03\x04 half a file", b"text"])
    def test_other_files_are_not_models(self, tmp_path, content):
        path = tmp_path / "model.npz"
        path.write_bytes(content)
        with pytest.raises(WeightsMissing, match="is not a whole head model"):
            HeadModel.load(path)

    def test_an_archive_without_the_parts_is_not_a_model(self, tmp_path):
        np.savez(tmp_path / "other.npz", neutral=np.zeros((3, 3)))
        np.save(tmp_path / "array.npy", np.zeros(3))
        for name in ("other.npz", "array.npy"):
            with pytest.raises(WeightsMissing, match="is not a whole head model"):
                HeadModel.load(tmp_path / name)


class TestOffsets:
    def test_an_identity_is_the_weighted_sum(self, head_model, head_data):
        weights = np.random.default_rng(1).normal(size=100)
        expected = np.tensordot(weights, head_data["id_delta"].astype(np.float64), 1)
        np.testing.assert_allclose(head_model.identity(weights), expected, atol=1e-5)
        assert not head_model.identity(np.zeros(100)).any()

    def test_an_expression_is_the_weighted_sum(self, head_model, head_data):
        amounts = {"jawOpen": 0.6, "mouthSmile_L": 0.9, "mouthSmile_R": 0.4, "eyeBlink_R": 1.0}
        expected = np.zeros(head_model.neutral.shape)
        for name, amount in amounts.items():
            number = head_data["expr_names"].tolist().index(name)
            for row in range(*head_data["ex_ptr"][number : number + 2]):
                expected[head_data["ex_idx"][row]] += amount * head_data["ex_val"][row].astype(np.float64)
        np.testing.assert_allclose(head_model.expression(amounts), expected, atol=1e-6)
        assert not head_model.expression({}).any()

    def test_the_order_of_amounts_changes_no_bit(self, head_model):
        amounts = {name: 0.1 + 0.01 * i for i, name in enumerate(head_model.expression_names)}
        turned = dict(reversed(amounts.items()))
        np.testing.assert_array_equal(head_model.expression(amounts), head_model.expression(turned))

    def test_blinking_closes_the_eye(self, head_model):
        def gaps(amounts: dict[str, float]) -> np.ndarray:
            """Height of the right and the left eye, cm."""
            x = (head_model.neutral + head_model.expression(amounts))[head_model.landmarks68]
            lids = x[[37, 38, 43, 44], 1] - x[[41, 40, 47, 46], 1]
            return lids.reshape(2, 2).mean(axis=1)

        open_eyes = gaps({})
        assert open_eyes.min() > 0.8
        left = gaps({"eyeBlink_L": 1.0})
        assert left[0] == pytest.approx(open_eyes[0], abs=0.01)
        assert abs(left[1]) < 0.06 * open_eyes[1]
        assert abs(gaps({"eyeBlink_L": 1.0, "eyeBlink_R": 1.0})).max() < 0.06 * open_eyes.min()


class TestPlaces:
    def test_landmarks_are_symmetric(self, head_model):
        x = head_model.neutral[head_model.landmarks68]
        np.testing.assert_allclose(x[MIRRORED] * (-1, 1, 1), x, atol=2e-3)
        assert x[0, 0] < x[16, 0]  # from the person's right, which is the picture's left
        assert x[8, 1] < x[27, 1]

    def test_regions_lie_where_their_names_say(self, head_model):
        def middle(*names: str) -> np.ndarray:
            return head_model.neutral[head_model.triangles[head_model.in_region(*names)]].mean(axis=(0, 1))

        assert middle("sclera_l")[0] > 2 > -2 > middle("sclera_r")[0]
        assert middle("teeth")[1] < middle("sclera_l")[1]
        assert head_model.skin_triangles.sum() > 20_000

    def test_labels_tell_ears_neck_eyes_and_mouth(self, head_model):
        centres = head_model.neutral[head_model.triangles].mean(axis=1)
        labels = head_model.labels
        assert set(labels) == {Label.FACE, Label.NECK, Label.EAR, Label.SCLERA, Label.MOUTH, Label.TEETH}
        ears = centres[labels == Label.EAR]
        assert abs(ears[:, 0]).min() > 5.5
        assert (ears[:, 0] > 0).mean() == pytest.approx(0.5, abs=0.01)
        reach = head_model.neutral[head_model.triangles[labels == Label.EAR]]
        assert 5 < np.ptp(reach[..., 1]) < 7.5  # an ear is some 6 cm long
        widest = np.abs(head_model.neutral[:, 0]) * (head_model.neutral[:, 1] > -5)
        assert labels[(head_model.triangles == widest.argmax()).any(axis=1)].tolist().count(Label.EAR) > 0
        assert (labels[head_model.skin_triangles & (centres[:, 1] < -9)] == Label.NECK).all()
        chin, tip_of_nose = head_model.landmarks68[[8, 30]]
        for vertex in (chin, tip_of_nose):
            assert set(labels[(head_model.triangles == vertex).any(axis=1)]) == {Label.FACE}
        assert (head_model.materials[labels == Label.TEETH] == Material.TEETH).all()
        assert (head_model.materials[head_model.skin_triangles] == Material.SKIN).all()

    def test_normals_point_out_of_the_skin(self, head_model):
        skull = head_model.skin_vertices[head_model.neutral[head_model.skin_vertices, 1] > 6]
        outwards = head_model.neutral[skull] - (0, 4, 0)
        assert ((head_model.normals[skull] * outwards).sum(axis=1) > 0).all()
        assert head_model.normals[head_model.landmarks68[30], 2] > 0.8

    def test_drawn_triangles_have_the_geometry_s_corners(self, head_model, head_data):
        np.testing.assert_array_equal(head_model.render_vertices[head_model.render_triangles], head_model.triangles)
        seen = np.isin(head_data["tri_reg"], np.unique(head_model.region))
        np.testing.assert_array_equal(
            head_model.uv[head_model.render_triangles], head_data["uv"][head_data["tri_uv"][seen]]
        )

    def test_the_face_s_texture_has_no_seams(self, head_model):
        face = head_model.in_region("face_narrow", "face_wide")
        corners = head_model.render_triangles[face]
        np.testing.assert_array_equal(head_model.face_uv[head_model.render_vertices[corners]], head_model.uv[corners])
        assert np.isfinite(head_model.face_uv[head_model.landmarks68]).all()
        known = head_model.face_uv[np.isfinite(head_model.face_uv[:, 0])]
        assert known.min() >= 0
        assert known.max() <= 1

    def test_lashes_grow_out_of_the_lids(self, head_model):
        lashes = head_model.lashes
        assert lashes.shape == (228, 6)
        assert len(np.unique(lashes)) == lashes.size
        assert head_model.upper_lashes.sum() == 114
        for amounts in ({}, {"eyeBlink_L": 1.0, "eyeBlink_R": 0.5}):
            x = head_model.neutral + head_model.expression(amounts)
            lids = x[head_model.skin_vertices]
            far = head_model.tree.query(head_model.neutral[lashes[:, 0]])
            assert far[0].max() < 1e-4
            assert np.linalg.norm(x[lashes[:, 0]] - lids[far[1]], axis=1).max() < 0.02
            length = np.linalg.norm(np.diff(x[lashes], axis=1), axis=2).sum(axis=1)
            assert length.min() > 0.4
            assert length.max() < 1.2
        tips = head_model.neutral[lashes[:, -1]]
        assert (tips[:, 2] > 8).all()

    def test_samples_lie_on_their_triangles(self, head_model):
        centres = head_model.neutral[head_model.triangles].mean(axis=1)
        mask = head_model.skin_triangles & (centres[:, 1] > 9)
        points, positions, normals = head_model.sample_surface(mask, 4000, np.random.default_rng(2))
        allowed = {tuple(triangle) for triangle in head_model.triangles[mask].tolist()}
        assert {tuple(triangle) for triangle in points.vertices.tolist()} <= allowed
        assert points.weights.min() >= 0
        np.testing.assert_allclose(points.weights.sum(axis=1), 1, atol=1e-6)
        corners = head_model.neutral[points.vertices]
        np.testing.assert_allclose(positions, (corners * points.weights[..., None]).sum(axis=1), atol=1e-5)
        flat = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
        flat /= np.linalg.norm(flat, axis=1, keepdims=True)
        np.testing.assert_allclose(np.linalg.norm(normals, axis=1), 1, atol=1e-5)
        assert (normals * flat).sum(axis=1).min() > 0.9

    def test_samples_are_spread_by_area(self, head_model):
        mask = head_model.skin_triangles
        a, b, c = np.moveaxis(head_model.neutral[head_model.triangles[mask]], 1, 0)
        area = np.linalg.norm(np.cross(b - a, c - a), axis=1)
        part = (a + b + c)[:, 1] / 3 > 8  # big triangles of the skull against small ones of the face
        _, positions, _ = head_model.sample_surface(mask, 20_000, np.random.default_rng(5))
        assert (positions[:, 1] > 8).mean() == pytest.approx(area[part].sum() / area.sum(), abs=0.015)

    def test_a_seed_gives_the_same_samples(self, head_model):
        mask = head_model.skin_triangles
        first, second = (head_model.sample_surface(mask, 50, np.random.default_rng(9)) for _ in range(2))
        np.testing.assert_array_equal(first[1], second[1])

    def test_bindings_sum_to_one_and_follow_the_skin(self, head_model):
        rng = np.random.default_rng(4)
        points = head_model.neutral[head_model.skin_vertices[::50]] + rng.normal(size=(1, 3)) * 0.3
        for k in (1, 4, 6):
            vertices, weights = head_model.nearest(points, k)
            assert vertices.shape == weights.shape == (len(points), k)
            np.testing.assert_allclose(weights.sum(axis=1), 1, atol=1e-6)
            assert (np.diff(weights, axis=1) <= 0).all()  # the nearest first and most
            assert np.isin(vertices, head_model.skin_vertices).all()
        distance = np.linalg.norm(head_model.neutral[vertices] - points[:, None], axis=2)
        expected = 1 / (distance + 0.3) ** 2
        np.testing.assert_allclose(weights, expected / expected.sum(axis=1, keepdims=True), atol=1e-5)
        shift = np.tile(np.float32([1, 2, 3]), (len(head_model.neutral), 1))
        followed = (weights[..., None] * shift[vertices]).sum(axis=1)
        np.testing.assert_allclose(followed, np.tile([1, 2, 3], (len(points), 1)), atol=1e-5)

    def test_soft_bindings_are_more_even(self, head_model):
        points = head_model.neutral[head_model.skin_vertices[::100]]
        hard, soft = (head_model.nearest(points, 6, softness)[1].std(axis=1).mean() for softness in (0.1, 3.0))
        assert soft < 0.3 * hard


class TestShapes:
    def test_shift_scale_and_rotation_are_no_difference(self):
        rng = np.random.default_rng(0)
        shape = rng.normal(size=(3, 20, 3))
        turn = np.linalg.qr(rng.normal(size=(3, 3)))[0]
        turn *= np.sign(np.linalg.det(turn))
        np.testing.assert_allclose(shape_distances(shape, 2.5 * shape @ turn + (1, 2, 3)), 0, atol=1e-7)
        assert (shape_distances(shape, shape * (-1, 1, 1)) > 0.1).all()  # a mirrored face is another one

    def test_a_known_difference(self):
        # Two unit squares, one stretched: s = a·b of the normalised side vectors.
        square = np.array([[1, 1], [1, -1], [-1, -1], [-1, 1]], float)
        stretched = square * (2, 1)
        cosine = 3 / np.sqrt(10)
        assert shape_distances(square, stretched) == pytest.approx(np.sqrt(2 - 2 * cosine))

    def test_order_counts_pairs(self):
        assert Separation(np.array([1.0, 2.0]), np.array([3.0, 4.0])).order == 1
        assert Separation(np.array([1.0, 3.0]), np.array([2.0, 3.0])).order == pytest.approx((0.5 + 0.75) / 2)
        assert Separation(np.array([1.0]), np.array([1.0])).order == 0.5

    def test_pairs_are_told_apart(self):
        rng = np.random.default_rng(1)
        people = rng.normal(size=(5, 1, 9, 3)) + 0.01 * rng.normal(size=(5, 4, 9, 3))
        found = separation(people)
        assert found.within.shape == (5 * 6,)
        assert found.between.shape == (20 * 19 // 2 - 30,)
        assert found.within.max() < found.between.min()
        assert found.order == 1

    def test_seeds_are_different_people(self, head_model):
        rng = np.random.default_rng(0)
        people, views = 40, 6
        identities = rng.normal(size=(people, 100)) * 0.8
        moving = [name for name in head_model.expression_names if "Pupil" not in name and name != "mouthClose"]
        expressions = [
            [{str(name): rng.uniform(0, 0.7) for name in rng.choice(moving, 8, replace=False)} for _ in range(views)]
            for _ in range(people)
        ]
        shapes = head_shapes(head_model, identities, expressions)
        one = head_model.neutral + head_model.identity(identities[3]) + head_model.expression(expressions[3][1])
        np.testing.assert_allclose(shapes[3, 1], one[head_model.landmarks68], atol=1e-5)

        found = separation(shapes[:, :, head_model.rigid_landmarks])
        assert found.order > 0.9
        assert np.median(found.between) > 1.8 * np.median(found.within)
        plain = separation(head_shapes(head_model, identities, [[{}]] * people))
        assert plain.between.min() > 0.01


@pytest.fixture(scope="module")
def head_data(head_model_file) -> dict[str, np.ndarray]:
    """The file's arrays, as they are."""
    with np.load(head_model_file) as data:
        return dict(data)
