"""LPIPS, CLIP-I, DINO and ArcFace with small real models made on the spot, against the same done by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from cases_made import face_clip, noise_clip, plain_case
from onnx_made import write_linear_model
from PIL import Image

from durian.errors import WeightsMissing
from durian.evaluation.metrics import get_metric
from durian.evaluation.metrics.identity import PLACES, POINTS, SIDE, aligned_face
from durian.evaluation.metrics.similarity import on_white

torch = pytest.importorskip("torch")


@pytest.fixture
def evaluation(tmp_path: Path, settings_environment) -> Path:
    """An empty ``weights/evaluation/`` that the settings name."""
    settings_environment(weights=tmp_path, device="cpu")
    (tmp_path / "evaluation").mkdir()
    return tmp_path / "evaluation"


def cosine(first: np.ndarray, second: np.ndarray) -> float:
    return float(first @ second / np.linalg.norm(first) / np.linalg.norm(second))


# LPIPS


@pytest.fixture
def lpips_state(evaluation: Path) -> dict[str, torch.Tensor]:
    """Random weights in the two files and the names that the published ones have."""
    random = torch.Generator().manual_seed(0)
    convolutions = {
        0: (64, 3, 11, 11),
        3: (192, 64, 5, 5),
        6: (384, 192, 3, 3),
        8: (256, 384, 3, 3),
        10: (256, 256, 3, 3),
    }
    backbone = {"classifier.6.bias": torch.zeros(1000)}
    for number, shape in convolutions.items():
        spread = (2 / np.prod(shape[1:])) ** 0.5
        backbone[f"features.{number}.weight"] = torch.randn(shape, generator=random) * spread
        backbone[f"features.{number}.bias"] = torch.randn(shape[0], generator=random) * 0.1
    heads = {
        f"lin{number}.model.1.weight": torch.rand(1, shape[0], 1, 1, generator=random)
        for number, shape in enumerate(convolutions.values())
    }
    torch.save(backbone, evaluation / "alexnet-owt-7be5be79.pth")
    torch.save(heads, evaluation / "lpips_alex.pth")
    return {**backbone, **heads}


def lpips_by_hand(state: dict[str, torch.Tensor], first: np.ndarray, second: np.ndarray) -> float:
    """Equation 1 of Zhang et al. 2018, written layer for layer."""
    functional = torch.nn.functional
    mean, deviation = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
    layers = ((0, 4, 2, False), (3, 1, 2, True), (6, 1, 1, True), (8, 1, 1, False), (10, 1, 1, False))
    images = [torch.from_numpy((image / 255 - mean) / deviation).permute(2, 0, 1)[None] for image in (first, second)]
    total = 0.0
    for index, (number, stride, padding, pooled) in enumerate(layers):
        weight, bias = (state[f"features.{number}.{name}"].double() for name in ("weight", "bias"))
        images = [functional.max_pool2d(image, 3, 2) if pooled else image for image in images]
        images = [functional.conv2d(image, weight, bias, stride, padding).relu() for image in images]
        units = [functional.normalize(image, dim=1) for image in images]
        head = state[f"lin{index}.model.1.weight"].double()
        total += float(((units[0] - units[1]) ** 2 * head).sum(1).mean())
    return total


def test_lpips_equals_its_equation(lpips_state: dict[str, torch.Tensor]):
    # More frames than go through the network together.
    frames, truth = noise_clip(0, frames=9, side=48), noise_clip(1, frames=9, side=48)
    expected = np.mean([lpips_by_hand(lpips_state, *pair) for pair in zip(frames, truth, strict=True)])
    metric = get_metric("lpips")
    assert metric.available() is None
    # The published scaling of the colours is rounded to three digits.
    assert metric.score(plain_case(frames, truth=truth))["all"] == pytest.approx(expected, rel=5e-3)
    assert metric.score(plain_case(truth, truth=truth)) == {"all": 0.0}


def test_lpips_with_half_of_its_weights(lpips_state: dict[str, torch.Tensor], evaluation: Path):
    torch.save({}, evaluation / "lpips_alex.pth")
    assert get_metric("lpips").available() == "The file of LPIPS does not fit: delete it, so that it is fetched again."
    (evaluation / "lpips_alex.pth").write_bytes(b"no weights")
    assert "lpips_alex.pth cannot be read" in get_metric("lpips").available()


# CLIP and DINO


@pytest.fixture
def tiny_clip(evaluation: Path):
    from transformers import CLIPVisionConfig, CLIPVisionModelWithProjection

    torch.manual_seed(0)
    sizes = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}
    config = CLIPVisionConfig(**sizes, image_size=32, patch_size=8, projection_dim=16)
    model = CLIPVisionModelWithProjection(config).eval()
    # As they are made, the embeddings of all pictures are alike.
    torch.nn.init.normal_(model.vision_model.embeddings.patch_embedding.weight, std=0.5)
    model.save_pretrained(evaluation / "clip")
    return model


@pytest.fixture
def tiny_dino(evaluation: Path):
    from transformers import ViTConfig, ViTModel

    torch.manual_seed(0)
    sizes = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}
    model = ViTModel(ViTConfig(**sizes, image_size=64, patch_size=16), add_pooling_layer=False).eval()
    torch.nn.init.normal_(model.embeddings.patch_embeddings.projection.weight, std=0.5)
    model.save_pretrained(evaluation / "dino")
    return model


def pixels(image: np.ndarray, side: int, mean: tuple[float, ...], deviation: tuple[float, ...]) -> torch.Tensor:
    """What the models' own processors make of a square picture: bicubic by Pillow, then standardised."""
    small = np.asarray(Image.fromarray(image).resize((side, side), Image.Resampling.BICUBIC), np.float32) / 255
    return torch.from_numpy((small - np.array(mean, np.float32)) / np.array(deviation, np.float32)).permute(2, 0, 1)


def test_clip_similarity_is_the_mean_cosine(tiny_clip, collins: np.ndarray):
    frames = np.concatenate([face_clip(collins, frames=9), noise_clip(0, frames=2, side=256)])
    reference = face_clip(collins, frames=1, shift=(9, 5))[0]
    mean, deviation = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)
    batch = torch.stack([pixels(image, 32, mean, deviation) for image in (reference, *frames)])
    with torch.no_grad():
        rows = tiny_clip(batch).image_embeds.numpy()
    expected = [cosine(rows[0], row) for row in rows[1:]]
    assert min(expected) < max(expected) - 0.03
    metric = get_metric("clip_i")
    assert metric.available() is None
    case = plain_case(frames, reference=reference)
    assert metric.score(case) == {"all": pytest.approx(np.mean(expected), abs=1e-3)}
    assert metric.score(plain_case(frames[:3], reference=frames[0])) == {"all": pytest.approx(1, abs=1e-5)}


def test_masked_dino_sees_the_item_alone(tiny_dino, hopper: np.ndarray):
    frames = face_clip(hopper, frames=1)
    mask = np.zeros((256, 256), bool)
    mask[20:120, 70:220] = True
    case = plain_case(frames, reference=frames[0], reference_mask=mask, category="glasses")
    shown = [on_white(frames[0], mask), *(on_white(frames[number], found) for number, found in case.parsed.items())]
    batch = torch.stack([pixels(image, 64, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)) for image in shown])
    with torch.no_grad():
        rows = tiny_dino(batch).last_hidden_state[:, 0].numpy()
    expected = np.mean([cosine(rows[0], row) for row in rows[1:]])
    metric = get_metric("dino")
    assert metric.score(case) == {"all": pytest.approx(expected, abs=2e-3)}


def test_on_white():
    picture = np.full((2, 2, 3), 7, np.uint8)
    shown = on_white(picture, np.array([[True, False], [False, True]]))
    assert shown.dtype == np.uint8
    assert shown[..., 0].tolist() == [[7, 255], [255, 7]]


def test_a_model_that_lacks_tensors_is_refused(tiny_clip, evaluation: Path):
    from safetensors.torch import load_file, save_file

    path = evaluation / "clip" / "model.safetensors"
    state = load_file(path)
    del state["visual_projection.weight"]
    save_file(state, path, {"format": "pt"})
    assert "lacks tensors such as visual_projection.weight" in get_metric("clip_i").available()
    with pytest.raises(WeightsMissing, match="openai/clip-vit-large-patch14"):
        get_metric("clip_i").score(plain_case(noise_clip(0)))


# ArcFace


def test_a_face_is_put_where_arcface_wants_it():
    random = np.random.default_rng(0)
    angle, scale, offset = 0.3, 2.5, np.array([60.0, 20.0])
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    landmarks = random.uniform(0, 400, (478, 2))
    for group, place in zip(POINTS, PLACES, strict=True):
        landmarks[list(group)] = turn @ place + offset
    rows, columns = np.mgrid[:400, :400]
    image = np.zeros((400, 400, 3), np.float64)
    for place in PLACES:
        x, y = turn @ place + offset
        image += 255 * np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / 30)[..., None]
    face = aligned_face(image.clip(0, 255).astype(np.uint8), landmarks)
    assert face.shape == (SIDE, SIDE, 3)
    for x, y in np.rint(PLACES).astype(int):
        around = face[y - 4 : y + 5, x - 4 : x + 5, 0]
        top = np.unravel_index(around.argmax(), around.shape)
        assert np.abs(np.array(top) - 4).max() <= 1


def test_identity_is_the_cosine_of_embeddings(evaluation: Path, collins: np.ndarray, hopper: np.ndarray):
    pytest.importorskip("onnxruntime")
    matrix = np.random.default_rng(0).normal(size=(3 * SIDE**2, 16)).astype(np.float32)
    write_linear_model(evaluation / "w600k_r50.onnx", matrix, SIDE)
    portrait = face_clip(collins, 1)[0]
    same, other = face_clip(collins, 2), face_clip(hopper, 2)
    blank = np.full_like(same[:1], 128)
    metric = get_metric("identity")
    assert metric.available() is None

    def embedding(image: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
        face = (aligned_face(image, landmarks).astype(np.float64) - 127.5) / 127.5
        return face.transpose(2, 0, 1).reshape(-1) @ matrix

    case = plain_case(np.concatenate([other, blank]), portrait=portrait)
    from durian.evaluation.landmarks import detect_upscaled

    own = embedding(portrait, detect_upscaled(portrait))
    expected = np.mean([cosine(own, embedding(case.frames[number], case.found[number])) for number in (0, 1)])
    assert metric.score(case) == {"all": pytest.approx(expected, abs=1e-5)}
    assert metric.score(plain_case(same, portrait=portrait))["all"] > 0.95 > expected + 0.3
    assert metric.score(plain_case(blank, portrait=portrait)) == {}
