"""The gallery: tables of pairs, real pictures and clips, what is kept, failures, and blindness."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
from gallery_made import HEADER, TWO_PAIRS, write_pictures
from PIL import Image

from durian.cli import main
from durian.cli.table import read_table
from durian.errors import InvalidRequest
from durian.evaluation.gallery.pairs import Pair, is_column, pairs_of
from durian.media import DIGITAL_SOURCE_TYPE, iter_video, probe_video, read_image
from durian.preview.renderer import PreviewRenderer

SMALL = ("--size", "96", "--frames", "5")


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory, collins: np.ndarray, hopper: np.ndarray) -> Path:
    return write_pictures(tmp_path_factory.mktemp("pictures") / "data", collins, hopper)


@pytest.fixture
def inverted(monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of a second renderer: the preview's frames, as negatives."""
    from durian import renderer

    class Inverted(PreviewRenderer):
        name = "inverted"

        def render(self, request, watch=None):
            yield from (255 - frame for frame in super().render(request, watch))

        def still(self, request, frame=0):
            if any(item.name == "glasses" for item in request.attributes):
                raise InvalidRequest("The inverted one makes no glasses.")
            return 255 - super().still(request, frame)

    monkeypatch.setitem(renderer._FACTORIES, "inverted", Inverted)
    return "inverted"


def read(folder: Path, text: str, *folders: Path) -> list[Pair]:
    (folder / "pairs.csv").write_text(text)
    table = read_table(folder / "pairs.csv", is_column)
    return pairs_of("pairs.csv", table.header, table.rows, folders)


def gallery(capsys, folder: Path, pictures: Path, text: str, *options: str) -> dict[str, object]:
    (folder / "pairs.csv").write_text(text)
    arguments = ("--pairs", folder / "pairs.csv", "--pictures", pictures, "--out", folder / "out", "--json", *SMALL)
    main(["evaluate", "gallery", *map(str, arguments), *options])
    return json.loads(capsys.readouterr().out)


def shown(folder: Path) -> dict[str, object]:
    """What the page knows."""
    text = (folder / "out" / "page" / "index.html").read_text(encoding="utf-8")
    return json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.DOTALL)[1])


def look(folder: Path, pair: str, method: str) -> dict[str, object]:
    key = json.loads((folder / "out" / "key.json").read_text())
    return next(each for each in key["looks"] if (each["pair"], each["method"]) == (pair, method))


# Tables


def test_both_kinds_of_header_mean_the_same(tmp_path: Path, pictures: Path):
    one = read(
        tmp_path, f"{HEADER}\n7,two,people/collins.png,people/hopper.png:hat;people/hopper.png:glasses,\n", pictures
    )
    other = read(
        tmp_path,
        "Portrait;attribute;name;attribute2;name2;number;kind\n"
        "people/collins.png;people/hopper.png;hat;people/hopper.png;glasses;7;two\n",
        pictures,
    )
    assert one == other
    assert (one[0].number, one[0].kind, one[0].motion) == ("7", "two", "nod")
    assert [(path.name, name) for path, name in one[0].items] == [("hopper.png", "hat"), ("hopper.png", "glasses")]


def test_a_folder_may_be_given_by_itself_or_with_what_is_around_it(tmp_path: Path, pictures: Path):
    text = f"{HEADER}\n,,people/collins.png,people/hopper.png:hat,\n"
    [inner], [outer] = read(tmp_path, text, pictures / "people"), read(tmp_path, text, pictures)
    assert inner == outer
    assert inner.number == "1"


@pytest.mark.parametrize(
    "text", ["../secret.png", "people/../../secret.png", "{}/secret.png", "link.png", "people/a.png", "", "x" * 5000]
)
def test_a_table_names_nothing_outside_its_folders(tmp_path: Path, collins: np.ndarray, hopper: np.ndarray, text: str):
    folder = write_pictures(tmp_path / "data", collins, hopper)
    Image.fromarray(collins).save(tmp_path / "secret.png")
    (folder / "link.png").symlink_to(tmp_path / "secret.png")
    cell = text.format(tmp_path)
    with pytest.raises(InvalidRequest, match=r"^Row 1 of pairs.csv: .* is not there: give a file in data\.$"):
        read(tmp_path, f"{HEADER}\n0,hat,{cell},people/hopper.png:hat,nod\n", folder)
    with pytest.raises(InvalidRequest, match=r"is not there: give a file in data, or one of .*nod"):
        read(tmp_path, f"{HEADER}\n0,hat,people/collins.png,people/hopper.png:hat,{cell or 'wave'}\n", folder)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("portrait,attributes,colour\na,b,c", "has a column 'colour', which is not known"),
        ("portrait,motion\na,b", "needs the columns portrait and attributes"),
        ("portrait,attributes,portrait\na,b,c", "has the column portrait 2 times"),
        (HEADER, "holds 0 pairs"),
        (f"{HEADER}\n0,hat,people/collins.png,people/hopper.png,nod", "does not say what to take"),
        (f"{HEADER}\n0,hat,people/collins.png,people/hopper.png:scarf,nod", "'scarf' cannot be found by its name"),
        (f"{HEADER}\n0,hat,people/collins.png,,nod", "names nothing to put on"),
        (f"{HEADER}\na/b,hat,people/collins.png,people/hopper.png:hat,nod", "'a/b' cannot be the number"),
        (f"{HEADER}\n0,hat,people/collins.png,people/hopper.png:hat,nod,more", "more cells than the header"),
        (f"{TWO_PAIRS}1,hat,people/collins.png,people/hopper.png:hat,nod", "has the number 1 2 times"),
    ],
)
def test_a_table_that_cannot_be_used_is_one_sentence(tmp_path: Path, pictures: Path, text: str, words: str):
    with pytest.raises(InvalidRequest, match=re.escape(words)):
        read(tmp_path, text, pictures)


# Making


def test_two_pairs_become_a_page_with_all_that_it_shows(capsys, tmp_path: Path, pictures: Path):
    report = gallery(capsys, tmp_path, pictures, TWO_PAIRS)
    assert (report["pairs"], report["done"], report["failed"], report["kept"]) == (2, 2, 0, 0)
    page = tmp_path / "out" / "page"
    assert report["page"] == str(page / "index.html")
    data = shown(tmp_path)
    assert [(pair["number"], pair["kind"], len(pair["looks"])) for pair in data["pairs"]] == [
        ("1", "hat", 1),
        ("2", "glasses", 1),
    ]
    assert data["method"] == "preview"
    named = set()
    for pair in data["pairs"]:
        [made] = pair["looks"]
        assert [each["name"] for each in pair["inputs"]] == ["portrait", pair["kind"]]
        clip = probe_video(page / made["clip"])
        assert (clip.width, clip.height) == (96, 96)
        assert b"avc1" in (page / made["clip"]).read_bytes()
        frames = [frame.astype(int) for frame in iter_video(page / made["clip"])]
        assert len(frames) == 5
        assert len(made["frames"]) == 4
        for number, file in zip((0, 1, 2, 4), made["frames"], strict=True):
            assert np.abs(read_image(page / file).astype(int) - frames[number]).mean() < 6
        portrait, still = read_image(page / pair["inputs"][0]["file"]), read_image(page / made["still"])
        assert portrait.shape == (384, 384, 3)
        assert still.shape == (96, 96, 3)
        named |= {made["still"], made["clip"], *made["frames"], *(each["file"] for each in pair["inputs"])}
    assert named == {f"media/{path.name}" for path in (page / "media").iterdir()}
    # What was given is not marked as made; what was made is.
    mark, made, given = DIGITAL_SOURCE_TYPE.encode(), data["pairs"][0]["looks"][0], data["pairs"][0]["inputs"][0]
    assert all(mark in (page / made[name]).read_bytes() for name in ("still", "clip"))
    assert mark not in (page / given["file"]).read_bytes()


def test_the_page_needs_no_network(capsys, tmp_path: Path, pictures: Path):
    text = TWO_PAIRS.replace("1,hat", "1,</script><b>")
    gallery(capsys, tmp_path, pictures, "\n".join(text.splitlines()[:2]))
    page = (tmp_path / "out" / "page" / "index.html").read_text(encoding="utf-8")
    assert not re.search(r"""(src|href)=|https?:|url\(|@import|<link|fetch\(|XMLHttp""", page)
    assert page.count("</script>") == 2
    assert shown(tmp_path)["pairs"][0]["kind"] == "</script><b>"


def test_what_is_there_is_kept_until_its_inputs_change(
    capsys, tmp_path: Path, collins: np.ndarray, hopper: np.ndarray, monkeypatch: pytest.MonkeyPatch
):
    data = write_pictures(tmp_path / "data", collins, hopper)
    text = TWO_PAIRS.replace("2,glasses,people/collins.png", "2,glasses,people/other.png")
    Image.fromarray(collins).save(data / "people" / "other.png")
    gallery(capsys, tmp_path, data, text)
    before = [look(tmp_path, number, "preview")["name"] for number in "12"]
    assert gallery(capsys, tmp_path, data, text)["kept"] == 2
    assert [look(tmp_path, number, "preview")["name"] for number in "12"] == before
    Image.fromarray(collins[:, ::-1]).save(data / "people" / "other.png")
    assert gallery(capsys, tmp_path, data, text)["kept"] == 1
    after = [look(tmp_path, number, "preview")["name"] for number in "12"]
    assert after[0] == before[0]
    assert after[1] != before[1], "answers about the earlier picture must not count for this one"
    assert not list((tmp_path / "out" / "page" / "media").glob(f"{before[1]}*"))
    assert gallery(capsys, tmp_path, data, text, "--again")["kept"] == 0
    (tmp_path / "out" / "page" / shown(tmp_path)["pairs"][0]["looks"][0]["clip"]).unlink()
    assert gallery(capsys, tmp_path, data, text)["kept"] == 1
    monkeypatch.setattr("durian.evaluation.gallery.key._code", lambda: "another version of the code")
    assert gallery(capsys, tmp_path, data, text)["kept"] == 0


def test_a_pair_that_fails_is_an_entry_with_its_sentence(capsys, tmp_path: Path, pictures: Path):
    hat = "people/hopper.png:hat,nod"
    text = f"{HEADER}\n1,none,people/wall.png,{hat}\n2,hat,people/collins.png,{hat}"
    report = gallery(capsys, tmp_path, pictures, text)
    assert (report["done"], report["failed"]) == (1, 1)
    [failure] = report["failures"]
    assert (failure["pair"], failure["method"]) == ("1", "preview")
    assert "face" in failure["error"]
    data = shown(tmp_path)
    assert [pair["number"] for pair in data["pairs"]] == ["2", "1"], "what cannot be rated comes last"
    assert data["pairs"][1]["error"] == failure["error"]
    assert data["pairs"][1]["looks"] == []


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--method", "paste"), "Method paste renders no pair"),
        (("--method", "preview", "--method", "preview"), "Two methods are called preview"),
        (("--size", "97"), "97 cannot be the size"),
        (("--pictures", "nowhere"), "nowhere is not a folder"),
    ],
)
def test_options_that_cannot_be_used_are_told_first(capsys, tmp_path: Path, pictures: Path, options, words: str):
    (tmp_path / "pairs.csv").write_text(TWO_PAIRS)
    arguments = {"--pairs": tmp_path / "pairs.csv", "--pictures": pictures, "--out": tmp_path / "out"}
    told = [str(part) for name, value in arguments.items() if name not in options for part in (name, value)]
    assert main(["evaluate", "gallery", *told, *options]) == 2
    assert words in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(("given", "words"), [((), "No folder was given"), (("--out", "x"), "No pairs were given")])
def test_what_is_left_out_is_asked_for(capsys, given: tuple[str, ...], words: str):
    assert main(["evaluate", "gallery", *given]) == 2
    assert words in capsys.readouterr().err


def test_a_folder_with_something_else_is_left_alone(capsys, tmp_path: Path, pictures: Path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "key.json").write_text('{"door": 1}')
    (tmp_path / "pairs.csv").write_text(TWO_PAIRS)
    arguments = ("--pairs", tmp_path / "pairs.csv", "--pictures", pictures, "--out", tmp_path / "out")
    assert main(["evaluate", "gallery", *map(str, arguments)]) == 2
    assert "is not the key of a gallery" in capsys.readouterr().err
    assert (tmp_path / "out" / "key.json").read_text() == '{"door": 1}'


# Blindness


def test_nothing_of_a_blind_page_names_a_method(capsys, tmp_path: Path, pictures: Path, inverted: str):
    report = gallery(capsys, tmp_path, pictures, TWO_PAIRS, "--method", "preview", "--method", inverted)
    assert (report["done"], report["failed"]) == (3, 1)
    page = tmp_path / "out" / "page"
    files = [path for path in page.rglob("*") if path.is_file()]
    assert len(files) == 1 + 2 * 2 + 3 * 6
    for path in files:
        content = path.read_bytes().lower()
        for word in (b"preview", b"inverted", b"key.json"):
            assert word not in content, path
            assert word not in path.name.encode()
    data = shown(tmp_path)
    assert data["blind"]
    assert data["method"] is None
    hat, glasses = sorted(data["pairs"], key=lambda pair: pair["number"])
    assert {each["name"] for each in hat["looks"]} == {look(tmp_path, "1", m)["name"] for m in ("preview", inverted)}
    assert (len(glasses["looks"]), glasses["missing"], glasses["error"]) == (1, 1, None)
    assert look(tmp_path, "2", inverted)["error"] == "The inverted one makes no glasses."
    own, other = (
        read_image(page / f"media/{look(tmp_path, '1', m)['name']}-still.webp") for m in ("preview", inverted)
    )
    assert np.abs(own[:60].astype(int) + other[:60] - 255).mean() < 4


def test_the_seed_orders_pairs_and_sides(tmp_path: Path):
    from gallery_made import made_key

    from durian.evaluation.gallery.page import shown_data

    key = made_key(tmp_path, ("preview", "inverted"), [(str(number), "hat") for number in range(60)])

    def order(seed: int) -> list[tuple[str, str]]:
        from dataclasses import replace

        pairs = shown_data(replace(key, seed=seed))["pairs"]
        return [(pair["number"], pair["looks"][0]["name"].partition("-")[0]) for pair in pairs]

    assert order(1) == order(1)
    assert order(1) != order(2)
    assert [number for number, _ in order(1)] != [str(number) for number in range(60)]
    first = [method for _, method in order(1)]
    assert 18 <= first.count("preview") <= 42
