"""Forms of uploads, read as Gradio reads them: every part a file, so many of them, and none left behind."""

from __future__ import annotations

from pathlib import Path

import asynchronous
import httpx
import pytest
from gradio.route_utils import GradioMultiPartParser
from python_multipart.multipart import MultipartParser
from starlette.datastructures import Headers
from starlette.formparsers import MultiPartException

from durian.errors import InvalidRequest
from durian.ui import messages
from durian.ui.forms import MOST_BOUNDARIES, MOST_FILES, checking_form

FILE = 'Content-Disposition: form-data; name="files"; FileName="a.png"'
NO_FILE = 'Content-Disposition: form-data; name="files"'
MARK = "mark-of-the-parts"
KIND = 'multipart/form-data; boundary="mark-of-the-parts"'


def parts(*heads: str, content: str = "1", mark: str = MARK) -> bytes:
    """A form written by hand, with a part for each head."""
    body = "".join(f"--{mark}\r\n{head}\r\n\r\n{content}\r\n" for head in heads)
    return f"{body}--{mark}--\r\n".encode()


def read_by_gradio(data: bytes, folder: Path, kind: str = KIND, piece: int = 100_000, whole: bool = True) -> int:
    """Let Gradio read a form into ``folder`` through the check; returns its number of parts.

    Args:
        whole: False hangs up where the data ends.
    """
    messages = [
        {
            "type": "http.request",
            "body": data[start : start + piece],
            "more_body": not whole or start + piece < len(data),
        }
        for start in range(0, len(data), piece)
    ]

    async def receive() -> dict[str, object]:
        return messages.pop(0) if messages else {"type": "http.disconnect"}

    async def read() -> int:
        headers = [(b"content-type", kind.encode())]
        checked, more = checking_form({"type": "http", "headers": headers}, receive), True

        async def stream():
            nonlocal more
            while more:
                message = await checked()
                more = message["more_body"]
                yield message["body"]

        reader = GradioMultiPartParser(Headers(raw=headers), stream(), upload_dir=folder, max_file_size=1_000_000)
        return len((await reader.parse()).multi_items())

    return asynchronous.run(read())


@pytest.mark.parametrize("piece", [1, 7, 64, 100_000])
@pytest.mark.parametrize(
    ("heads", "words"),
    [
        ([FILE] * (MOST_FILES + 1), f"more than {MOST_FILES} files"),
        ([FILE, NO_FILE], "is no file"),
        ([FILE, f"{NO_FILE}\r\nX: filename=a.png"], "is no file"),
        ([FILE, 'Content-Disposition: form-data; name="filename="'], "is no file"),
        ([FILE, f"{FILE}\r\n{NO_FILE}"], "is no file"),
        ([FILE, FILE.replace("files", "others")], "not of the field files"),
        ([FILE, FILE.replace('name="files"; ', "")], "not of the field files"),
        ([FILE, "x" * 20_000], "no form with files"),
    ],
)
def test_what_is_refused_leaves_no_file(tmp_path: Path, heads: list[str], words: str, piece: int):
    with pytest.raises(MultiPartException, match=words) as refused:
        read_by_gradio(parts(*heads), tmp_path, piece=piece)
    assert isinstance(refused.value, InvalidRequest)
    assert words in refused.value.message
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("piece", [1, 7, 64, 100_000])
@pytest.mark.parametrize("end", ["!", "\r!", ""])
def test_a_file_full_of_boundaries_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, piece: int, end: str):
    """Before they are parsed."""
    parsed = []
    parse = MultipartParser.write
    monkeypatch.setattr(
        MultipartParser, "write", lambda parser, data: parsed.append(data.count(b"the-parts")) or parse(parser, data)
    )
    data = parts(FILE, content=f"\r\n--{MARK}{end}" * 1000)
    with pytest.raises(InvalidRequest, match="stands in it more than 64 times: send at most 32 files" if end else "."):
        read_by_gradio(data, tmp_path, piece=piece)
    # By the check, and by Gradio.
    assert sum(parsed) <= 2 * MOST_BOUNDARIES
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("boundary", ["b", "-" * 15, '"0123456789abcde"'])
def test_a_short_boundary_is_refused(boundary: str):
    kind = f"multipart/form-data; boundary={boundary}"
    with pytest.raises(InvalidRequest, match="less than 16 characters: send it with one of 16 to 70"):
        checking_form({"type": "http", "headers": [(b"content-type", kind.encode())]}, None)


def test_boundaries_of_clients_are_long_enough():
    """As gradio_client's, which sends by httpx."""
    request = httpx.Request("POST", "http://durian/upload", files={"files": ("a.png", b"1")})
    checking_form({"type": "http", "headers": [(b"content-type", request.headers["content-type"].encode())]}, None)


@pytest.mark.parametrize("piece", [1, 7, 64, 100_000])
def test_files_arrive_whatever_is_in_them(tmp_path: Path, piece: int):
    content = "--mark-of-the-part\r\n--mark-of-the-pants filename="
    data = parts(*[FILE] * MOST_FILES, content=content)
    assert read_by_gradio(data, tmp_path, piece=piece) == MOST_FILES
    assert {path.read_bytes() for path in tmp_path.iterdir()} == {
        b"--mark-of-the-part\r\n--mark-of-the-pants filename="
    }


@pytest.mark.parametrize(
    "kind",
    [
        'multipart/form-data; boundary=mark-of-the-parts; x="boundary=another"',
        "multipart/form-data; boundary=mark-of-the-parts; xboundary=another",
        'multipart/form-data; boundary="mark-of-the-parts"; x=boundary=another',
        'Multipart/Form-Data; boundary=mark-of-the-parts;x="a;boundary=another"',
    ],
)
def test_its_boundary_is_the_one_that_gradio_goes_by(tmp_path: Path, kind: str):
    with pytest.raises(InvalidRequest, match="is no file"):
        read_by_gradio(parts(NO_FILE), tmp_path, kind)
    assert read_by_gradio(parts(FILE), tmp_path, kind) == 1


def test_a_caller_who_hangs_up_leaves_no_file(tmp_path: Path):
    with pytest.raises(InvalidRequest, match="broken off"):
        read_by_gradio(parts(FILE, FILE)[:-20], tmp_path, whole=False)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("data", [parts(FILE, FILE)[:-8], parts(FILE)[:60], b"\r\n"])
def test_a_form_without_its_end_leaves_no_file(tmp_path: Path, data: bytes):
    """Of the length that was told, all the same."""
    with pytest.raises(MultiPartException, match="no form with files"):
        read_by_gradio(data, tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_caller_of_whom_nothing_more_comes_has_gone(monkeypatch: pytest.MonkeyPatch):
    async def never() -> dict[str, object]:
        await asynchronous.asyncio.Event().wait()

    monkeypatch.setattr(messages, "SECONDS_WITHOUT_A_BYTE", 0.01)
    scope = {"type": "http", "headers": [(b"content-type", KIND.encode())]}
    with pytest.raises(InvalidRequest, match="broken off"):
        asynchronous.run(checking_form(scope, never)())


def test_a_body_byte_by_byte_is_not_waited_for(monkeypatch: pytest.MonkeyPatch):
    """Each byte comes in time; all of them never would."""

    async def trickling() -> dict[str, object]:
        await asynchronous.asyncio.sleep(0.01)
        return {"type": "http.request", "body": b"\r\n", "more_body": True}

    async def read_upload() -> None:
        receive = checking_form({"type": "http", "headers": [(b"content-type", KIND.encode())]}, trickling)
        while True:
            await receive()

    monkeypatch.setattr(messages, "SECONDS_WITHOUT_A_BYTE", 0.3)
    with pytest.raises(InvalidRequest, match="broken off"):
        asynchronous.run(read_upload())
    with pytest.raises(InvalidRequest, match="stopped half-way"):
        asynchronous.run(messages.read_body({"type": "http", "headers": []}, trickling))


@pytest.mark.parametrize(
    "kind",
    [
        "",
        "application/json",
        "multipart/form-data",
        "text/plain; boundary=mark-of-the-parts",
        "multipart/form-data; boundary=" + "m" * 300,
        "multipart/form-data;" * 3000,
    ],
)
def test_what_is_no_form_is_refused_at_once(kind: str):
    """Also where a parser of headers would look for a boundary for a second."""
    for _ in range(50):
        with pytest.raises(InvalidRequest, match="no form with files"):
            checking_form({"type": "http", "headers": [(b"content-type", kind.encode())]}, None)
