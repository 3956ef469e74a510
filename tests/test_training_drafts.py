"""Drafts of clips: written beside frames, drawn with them, made by the preview; and clips of photos."""

from __future__ import annotations

import json

import numpy as np
import pytest
from diffusion_made import tiny_pipeline
from training_samples_made import SIZE, clip, grey_of, number_of, triplet

from durian.cli.main import main
from durian.clips import Clip, DraftPair, write_drafts
from durian.errors import InvalidRequest
from durian.training.data.dataset import Samples, SamplingSettings, collate
from durian.training.data.pairs import Pairs, PairSettings
from durian.training.preparation.drafts import add_drafts, draw_pairs
from durian.training.preparation.folder import prepare
from durian.training.preparation.settings import Preparation
from durian.training.run.checkpoints import keep_model, open_model

TRUE, PSEUDO = DraftPair("hair", 2, 0, True), DraftPair("hair", 5, 7, False)


def drafted(folder, name: str = "a") -> Clip:
    """A triplet with two pairs: drafts of the true one have the target's own grey plus 2, of the other 4 more."""
    made = triplet(folder, name)
    targets = made.about.frames_of("target")
    drafts = [
        (pair, {number: np.full((SIZE, SIZE, 3), grey_of(number) + more, np.uint8) for number in targets})
        for pair, more in ((TRUE, 2), (PSEUDO, 4))
    ]
    write_drafts(made.path, drafts)
    return Clip(made.path)


def test_drafts_are_read_as_they_were_written_and_the_rest_stays(tmp_path):
    before = triplet(tmp_path, "b")
    frame = before.frame(3)
    made = drafted(tmp_path)
    assert made.about.drafts == (TRUE, PSEUDO)
    assert abs(int(made.draft(1, 6)[0, 0, 0]) - grey_of(6) - 4) <= 1
    after = made.frame(3)
    assert np.array_equal(frame.image, after.image)
    assert np.array_equal(frame.masks["hair"], after.masks["hair"])
    assert before.about.drafts == ()
    write_drafts(made.path, [])
    assert Clip(made.path).about.drafts == ()


def test_only_pairs_with_drafts_are_drawn(tmp_path):
    pairs = Pairs([drafted(tmp_path), triplet(tmp_path, "b")], 2, PairSettings(), drafted=True)
    rng = np.random.default_rng(0)
    drawn = [pairs.draw(rng) for _ in range(60)]
    assert {(pair.clip, pair.attribute, pair.portrait, pair.has_truth, pair.draft) for pair in drawn} == {
        (0, 2, 0, True, 0),
        (0, 5, 7, False, 1),
    }
    # Of six targets two are references here; a third of the stretches are without them.
    apart = [{5, 7}.isdisjoint(pair.targets) for pair in drawn if not pair.has_truth]
    assert np.mean(apart) > 0.85


def test_clips_without_drafts_are_refused_with_what_to_do(tmp_path):
    with pytest.raises(InvalidRequest, match="durian prepare --drafts"):
        Pairs([triplet(tmp_path, "b")], 2, PairSettings(), drafted=True)


def test_a_sample_has_the_drafts_of_its_targets(tmp_path):
    plain = SamplingSettings().without_augmentation()
    samples = Samples([drafted(tmp_path)], SIZE, 2, settings=plain, drafted=True)
    seen = set()
    for number in range(12):
        sample = samples[number]
        more = 2 if sample.has_truth else 4
        for target, draft in zip(sample.targets, sample.drafts, strict=True):
            assert abs(int(draft[0, 0, 0]) - grey_of(number_of(target)) - more) <= 1
        seen.add(sample.has_truth)
    assert seen == {True, False}
    assert collate([samples[0], samples[1]])["drafts"].shape == (2, 2, SIZE, SIZE, 3)
    assert "drafts" not in collate([Samples([drafted(tmp_path)], SIZE, 2, settings=plain)[0]])


def test_a_mirrored_sample_has_mirrored_drafts(tmp_path):
    made = drafted(tmp_path)
    ramp = np.broadcast_to(np.linspace(20, 220, SIZE).astype(np.uint8)[None, :, None], (SIZE, SIZE, 3))
    write_drafts(made.path, [(TRUE, {number: np.ascontiguousarray(ramp) for number in range(4, 10)})])
    for mirrored in (0.0, 1.0):
        settings = SamplingSettings(PairSettings(true_share=1.0, mirrored=mirrored))
        row = Samples([Clip(made.path)], SIZE, settings=settings, drafted=True)[0].drafts[0, 0, :, 0].astype(int)
        assert (row[-1] < row[0]) == bool(mirrored)


def test_pairs_to_draft_are_different_ones_that_show_the_item(tmp_path):
    made = triplet(tmp_path, "a")
    pairs = draw_pairs(made, 6)
    assert len(set(pairs)) == len(pairs) == 6
    assert pairs == draw_pairs(Clip(made.path), 6)
    assert {pair.has_truth for pair in pairs} == {True, False}
    assert all(pair.portrait in (0, 1) and pair.attribute in (2, 3) for pair in pairs if pair.has_truth)
    assert draw_pairs(clip(tmp_path, "short", roles="t"), 4) == []


@pytest.mark.slow
def test_photos_become_clips_with_drafts(project_root, tmp_path):
    """A portrait that ships wears glasses; each draft is nearer to its target than the portrait's own frame is."""
    photos = tmp_path / "photos"
    photos.mkdir()
    (photos / "glasses-round.webp").write_bytes((project_root / "assets" / "glasses-round.webp").read_bytes())
    (photos / "wall.png").write_bytes((project_root / "assets" / "hat-cap-mask.png").read_bytes())
    out = tmp_path / "clips"
    arguments = ["prepare", "--portraits", str(photos), "--out", str(out), "--size", "128", "--drafts", "2", "--json"]
    assert main(arguments) == 0
    report = json.loads((out / "report.json").read_text())
    assert report["clips"] == 1
    assert report["left_out"] == {"unreadable": 1}
    made = Clip(out / "glasses-round.webp.clip")
    assert "glasses" in made.about.items
    assert len(made.about.drafts) == 2
    drafts, still = [], []
    for place, pair in enumerate(made.about.drafts):
        portrait = made.frame(pair.portrait).image.astype(int)
        for number in made.about.frames_of("target"):
            target = made.frame(number).image.astype(int)
            drafts.append(np.abs(made.draft(place, number) - target).mean())
            still.append(np.abs(portrait - target).mean())
    assert np.mean(drafts) < 0.9 * np.mean(still)
    before = made.path.read_bytes()
    add_drafts(made.path, 2)
    assert made.path.read_bytes() == before


def test_too_many_drafts_are_refused(tmp_path):
    with pytest.raises(InvalidRequest, match="100 drafts"):
        prepare(Preparation(tmp_path, tmp_path / "out", kind="portraits", drafts=100))


def test_a_folder_without_photos_is_refused(tmp_path):
    with pytest.raises(InvalidRequest, match=r"photos \(.jpg"):
        prepare(Preparation(tmp_path, tmp_path / "out", kind="portraits"))


def test_a_kept_model_does_not_say_where_it_came_from(tmp_path):
    tiny_pipeline(drafts=True).save_pretrained(tmp_path / "first")
    kept = keep_model(open_model(tmp_path / "first"), tmp_path / "run")
    assert not any(str(tmp_path) in path.read_text() for path in kept.rglob("*.json"))
    assert open_model(kept).begins_with_drafts
