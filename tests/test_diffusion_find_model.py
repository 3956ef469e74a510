"""Discovery of diffusion models: the model found, its description, and one sentence for each reason to refuse one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from durian.diffusion.find_model import ModelFound, fetch_model, find_model, require_model, why_not
from durian.errors import InvalidRequest, WeightsMissing
from durian.renderer import available_renderers, check_renderer, get_renderer, why_unavailable
from durian.request import DiffusionOptions
from durian.settings import PROJECT_ROOT, Settings

WITH_WEIGHTS = ("vae", "denoiser", "guider")
SCALARS = {
    "_class_name": "DurianPipeline",
    "preset": "mini-256",
    "size": 256,
    "trained_steps": 7000,
    "steps": 6,
    "guidance_scale": 2.5,
    "sampler": "dpm++",
}


def make_model(folder: Path, **changes: object) -> Path:
    """A model's folder, without numbers worth opening; ``changes`` to its index, ``None`` leaves a key out."""
    index = {**SCALARS, "image_encoder": [None, None], "scheduler": ["diffusers", "DDIMScheduler"]}
    index |= {name: ["durian.diffusion.parts", name.title()] for name in WITH_WEIGHTS} | changes
    for name in WITH_WEIGHTS:
        (folder / name).mkdir(parents=True)
        (folder / name / "config.json").write_text("{}")
        (folder / name / "diffusion_pytorch_model.safetensors").write_bytes(bytes(1_200_000))
    (folder / "scheduler").mkdir()
    (folder / "scheduler" / "scheduler_config.json").write_text("{}")
    (folder / "model_index.json").write_text(json.dumps({k: v for k, v in index.items() if v is not None}))
    return folder


@pytest.fixture
def weights(tmp_path: Path, settings_environment) -> Path:
    """The weights folder of this test."""
    folder = tmp_path / "weights"
    folder.mkdir()
    settings_environment(weights=folder)
    return folder


@pytest.mark.parametrize(
    ("scheduler", "sampler"),
    [
        (["durian.diffusion.sampling", "TrailingDDIM"], "ddim"),
        (["diffusers", "DPMSolverMultistepScheduler"], "dpm++"),
        (["diffusers", "HeunDiscreteScheduler"], None),
    ],
)
def test_the_sampler_of_a_model_without_its_name_is_its_scheduler(weights: Path, scheduler: list, sampler: str | None):
    make_model(weights / "model", scheduler=scheduler, sampler=None)
    assert find_model().defaults == DiffusionOptions(6, 2.5, sampler)


def test_a_model_below_the_weights_folder_is_found(weights: Path):
    assert find_model() is None
    (weights / "notes").mkdir()
    folder = make_model(weights / "durian-mini")
    assert why_not() is None
    assert find_model() == ModelFound(
        source=str(folder),
        name="durian-mini",
        preset="mini-256",
        size=256,
        trained_steps=7000,
        megabytes=4,
        defaults=DiffusionOptions(6, 2.5, "dpm++"),
    )
    assert find_model().is_small


def test_a_model_of_ones_own_is_taken_before_the_one_that_ships(weights: Path):
    make_model(weights / "durian-mini")
    make_model(weights / "mine")
    assert find_model().name == "mine"


def test_the_weights_folder_may_be_the_model_itself(tmp_path: Path, settings_environment):
    settings_environment(weights=make_model(tmp_path / "mine", preset="sd15-512"))
    assert find_model().name == "mine"
    assert not find_model().is_small


def test_a_model_is_called_what_its_card_calls_it(weights: Path):
    folder = make_model(weights / "m")
    (folder / "README.md").write_text("---\nlicense: apache-2.0\n---\n\n# Durian mini, 256 px\n\n# Training\n")
    assert find_model().name == "Durian mini, 256 px"


def test_a_sound_model_is_found_beside_one_that_is_not(weights: Path):
    make_model(weights / "a-fresh", trained_steps=0)
    assert "never trained" in why_not()
    make_model(weights / "b-trained")
    assert find_model().name == "b-trained"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"trained_steps": 0}, "never trained"),
        ({"trained_steps": None}, "never trained"),
        ({"trained_steps": True}, "never trained"),
        ({"trained_steps": "7000"}, "never trained"),
        ({"_class_name": "StableDiffusionPipeline"}, "StableDiffusionPipeline, not a DurianPipeline"),
        ({"size": None}, "does not say its size"),
        ({"steps": "many"}, "make no sense"),
        ({"sampler": "guesses"}, "make no sense"),
        ({"conditioner": ["durian.diffusion.conditioning", "Conditioner"]}, "lacks its conditioner"),
        ({"vae": ["os", "system"]}, "wants its vae from os"),
    ],
)
def test_an_index_that_will_not_do_is_one_sentence(weights: Path, changes: dict[str, object], words: str):
    make_model(weights / "odd", **changes)
    assert find_model() is None
    assert words in why_not()
    assert "odd/" in why_not()
    assert str(weights) not in why_not()


@pytest.mark.parametrize("text", ["", "[]", "{", "[" * 100_000])
def test_an_index_that_cannot_be_read(weights: Path, text: str):
    (make_model(weights / "odd") / "model_index.json").write_text(text)
    assert "model_index.json in odd/" in why_not()


@pytest.mark.parametrize("name", ["vae/diffusion_pytorch_model.bin", "model.ckpt", "guider/deep/in/it.PT", "a.pth"])
def test_files_that_could_run_are_refused(weights: Path, name: str):
    folder = make_model(weights / "mixed")
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x")
    assert f"holds {name}, and only .safetensors files are opened" in why_not()
    path.unlink()
    assert why_not() is None


def test_a_part_without_safetensors_is_missing(weights: Path):
    folder = make_model(weights / "half")
    (folder / "denoiser" / "diffusion_pytorch_model.safetensors").unlink()
    assert "lacks its denoiser as .safetensors" in why_not()


def test_sam_s_own_file_may_lie_beside_a_model(tmp_path: Path, settings_environment):
    folder = make_model(tmp_path / "both")
    settings_environment(weights=folder)
    (folder / "sam_vit_b_01ec64.pth").write_bytes(b"plain tensors")
    assert why_not() is None


def test_what_to_do_is_said_where_there_is_none(weights: Path, settings_environment):
    assert why_not() == (
        "No diffusion model is in weights/: put a trained one there, or set DURIAN_WEIGHTS to its folder or hub id."
    )
    settings_environment(weights=weights / "nowhere")
    assert "nowhere/ does not exist" in why_not()


# Renderers


def test_the_renderer_is_known_only_with_a_trained_model(weights: Path):
    assert available_renderers() == ("preview",)
    with pytest.raises(WeightsMissing, match="DURIAN_WEIGHTS"):
        check_renderer("diffusion")
    with pytest.raises(InvalidRequest, match="not known: use preview"):
        check_renderer("paint-by-numbers")
    folder = make_model(weights / "mini", trained_steps=0)
    with pytest.raises(WeightsMissing, match="never trained"):
        get_renderer("diffusion")
    index = json.loads((folder / "model_index.json").read_text())
    (folder / "model_index.json").write_text(json.dumps(index | {"trained_steps": 1}))
    assert available_renderers() == ("preview", "diffusion")
    assert why_unavailable("diffusion") is None
    assert get_renderer("diffusion").name == "diffusion"


# Hub ids


def test_weights_may_be_a_hub_id(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    settings = Settings.from_environment({"DURIAN_WEIGHTS": "someone/durian-mini"})
    assert settings.model == "someone/durian-mini"
    assert settings.weights == PROJECT_ROOT / "weights"
    monkeypatch.chdir(tmp_path)
    (tmp_path / "someone" / "durian-mini").mkdir(parents=True)
    folder = Settings.from_environment({"DURIAN_WEIGHTS": "someone/durian-mini"})
    assert (folder.model, folder.weights) == ("", Path("someone/durian-mini"))
    for path in ("./someone/model", "../weights", "/models/durian"):
        assert Settings.from_environment({"DURIAN_WEIGHTS": path}).weights == Path(path)
    with pytest.raises(ValueError, match="hub id"):
        Settings(model="not an id")


@pytest.fixture
def hub(tmp_path: Path, settings_environment, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A hub that cannot be reached, and its empty cache."""
    from huggingface_hub import constants

    cache = tmp_path / "hub"
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(cache))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    settings_environment(weights="someone/durian-mini")
    return cache


def cached(hub: Path, **changes: object) -> Path:
    """The model in the hub's cache, as if it had been fetched once."""
    repository, commit = hub / "models--someone--durian-mini", "0" * 40
    (repository / "refs").mkdir(parents=True)
    (repository / "refs" / "main").write_text(commit)
    return make_model(repository / "snapshots" / commit, **changes)


def test_a_hub_id_is_offered_and_fetched_only_when_used(hub: Path):
    found = require_model()
    assert found == ModelFound("someone/durian-mini", "someone/durian-mini", fetched=False)
    assert (found.preset, found.size, found.trained_steps, found.megabytes) == ("", 0, 0, 0)
    with pytest.raises(WeightsMissing, match="someone/durian-mini could not be fetched"):
        fetch_model(found)


def test_a_hub_s_model_that_was_fetched_needs_no_hub(hub: Path):
    folder = cached(hub)
    found = require_model()
    assert (found.source, found.name, found.fetched) == (str(folder), "durian-mini", True)
    assert fetch_model(found) is found
    # Half of it is not here: it must be fetched again, which does not work now.
    (folder / "guider" / "diffusion_pytorch_model.safetensors").unlink()
    assert not require_model().fetched


def test_a_pinned_revision_is_the_one_that_is_opened(hub: Path, settings_environment):
    newest = cached(hub)
    assert require_model().revision == newest.name
    older = make_model(newest.with_name("a" * 40), trained_steps=5)
    settings_environment(weights="someone/durian-mini", model_revision=older.name)
    found = require_model()
    assert (found.source, found.revision, found.trained_steps) == (str(older), older.name, 5)
    # One that is not here is not replaced by one that is.
    settings_environment(weights="someone/durian-mini", model_revision="v1.2/final")
    assert not require_model().fetched
    with pytest.raises(WeightsMissing, match=r"someone/durian-mini at v1\.2/final could not be fetched"):
        fetch_model(require_model())


def test_only_what_cannot_run_is_fetched_and_of_the_pinned_revision(hub: Path, settings_environment, monkeypatch):
    import huggingface_hub

    asked = {}

    def snapshot_download(source: str, **options: object) -> str:
        asked.update(options, source=source)
        return str(cached(hub))

    monkeypatch.setattr(huggingface_hub, "snapshot_download", snapshot_download)
    settings_environment(weights="someone/durian-mini", model_revision="b" * 40)
    assert fetch_model(require_model()).revision == "0" * 40
    assert asked == {
        "source": "someone/durian-mini",
        "revision": "b" * 40,
        "allow_patterns": ["*.json", "*.safetensors", "README.md"],
    }


@pytest.mark.parametrize("revision", ["../main", "a b", "-x", "main/", "a..b", "/etc", "é"])
def test_a_revision_is_a_plain_name(revision: str):
    with pytest.raises(ValueError, match="DURIAN_MODEL_REVISION must be a commit, tag or branch"):
        Settings.from_environment({"DURIAN_MODEL_REVISION": revision})
    for sound in ("main", "v1.0", "refs/pr/3", "0123456789abcdef"):
        assert Settings.from_environment({"DURIAN_MODEL_REVISION": sound}).model_revision == sound


def test_a_hub_s_model_is_judged_like_any_other(hub: Path):
    cached(hub, trained_steps=0)
    assert why_not() == (
        "The diffusion model in someone/durian-mini was never trained, so its pictures would be noise: "
        "use a trained one."
    )
