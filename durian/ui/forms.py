"""Upload forms: every part must be a file, and they are read by the parser that Gradio itself uses.

Another parser may read a form differently from Gradio, and Gradio keeps parts that are no files in memory and writes a
file for each of the others, however many.
"""

from __future__ import annotations

from pathlib import Path

from gradio_client.utils import strip_invalid_filename_characters
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.formparsers import MultiPartException
from starlette.types import Message, Receive, Scope

from durian.errors import InvalidRequest
from durian.ui.messages import at_a_pace, header

MOST_FILES = 32
"""Of one upload; a look-book has a dozen."""
MOST_BOUNDARIES = 2 * MOST_FILES
"""One stands before each file, and one at the end; some more, so that too many files are refused in their own words."""
FIELD = b"files"
"""The only one that Gradio takes files from; those of others stay on the disk."""
MOST_KIND_CHARACTERS = 300
"""Of the header that tells a form's boundary, which has 70 at most; longer ones keep parsers busy for seconds."""
LEAST_BOUNDARY_BYTES = 16
"""Browsers, curl and Python's libraries take 32 and more at random, of which no file has one by chance."""
BROKEN = "The upload is broken off or no form with files: send it again."


class RefusedForm(InvalidRequest, MultiPartException):
    """One sentence that Gradio's reader takes for its own, and so deletes the files that it has begun."""

    def __init__(self, message: str) -> None:
        MultiPartException.__init__(self, message)
        self.args = (message,)


class _Parts:
    """Looks at the head of each part, as Gradio's reader does. ``ended`` once the last one has."""

    def __init__(self, boundary: bytes) -> None:
        self.ended = False
        self._files = 0
        self._boundary = boundary
        self._boundaries = 0
        self._tail = b""
        self._begin()
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._begin,
                "on_header_field": self._field,
                "on_header_value": self._value,
                "on_header_end": self._head,
                "on_headers_finished": self._heads,
                "on_end": self._end,
            },
        )

    def look(self, data: bytes) -> None:
        """
        Raises:
            RefusedForm: a part is no file, there are too many, or it is no form.
        """
        # Parsers take each of them, and each piece up to the next, some twenty times as long as other bytes.
        together = self._tail + data
        self._boundaries += together.count(self._boundary)
        self._tail = together[1 - len(self._boundary) :]
        if self._boundaries > MOST_BOUNDARIES:
            raise RefusedForm(
                f"The upload's boundary stands in it more than {MOST_BOUNDARIES} times: send at most {MOST_FILES} "
                "files, with a boundary that is in none of them."
            )
        try:
            self._parser.write(data)
        except FormParserError as error:
            raise RefusedForm(BROKEN) from error

    def _begin(self) -> None:
        self._name, self._content, self._disposition = b"", b"", b""

    def _end(self) -> None:
        self.ended = True

    def _field(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]

    def _value(self, data: bytes, start: int, end: int) -> None:
        self._content += data[start:end]

    def _head(self) -> None:
        if self._name.lower() == b"content-disposition":
            self._disposition = self._content
        self._name, self._content = b"", b""

    def _heads(self) -> None:
        _, options = parse_options_header(self._disposition)
        if b"filename" not in options:
            raise RefusedForm("A part of the upload is no file: send files alone.")
        if options.get(b"name") != FIELD:
            raise RefusedForm(f"A part of the upload is not of the field {FIELD.decode()}: send all files in that.")
        if _has_no_name(options[b"filename"]):
            raise RefusedForm("A file of the upload is called .. and nothing else: give it a name.")
        self._files += 1
        if self._files > MOST_FILES:
            raise RefusedForm(f"The upload has more than {MOST_FILES} files: send fewer at once.")


def _has_no_name(filename: bytes) -> bool:
    """Whether Gradio would refuse the name in its own words, once all has been written."""
    name = Path(filename.decode("utf-8", "replace")).name
    return strip_invalid_filename_characters(name) == ".."


def checking_form(scope: Scope, receive: Receive) -> Receive:
    """Read an upload as long as each part of its form is a file, there are no more than :data:`MOST_FILES`, and it
    comes without long pauses and not too slowly.

    Raises:
        InvalidRequest: it is no form; :class:`RefusedForm` from reading, as soon as it is seen.
    """
    kind = header(scope, b"content-type")
    of, options = parse_options_header(kind) if len(kind) <= MOST_KIND_CHARACTERS else (b"", {})
    if of != b"multipart/form-data" or not options.get(b"boundary"):
        raise InvalidRequest("The upload is no form with files: send it as multipart/form-data.")
    if len(options[b"boundary"]) < LEAST_BOUNDARY_BYTES:
        raise InvalidRequest(
            f"The upload's boundary has less than {LEAST_BOUNDARY_BYTES} characters: send it with one of 16 to 70, at "
            "random."
        )
    parts, whole, paced = _Parts(options[b"boundary"]), False, at_a_pace(receive)

    async def checked() -> Message:
        nonlocal whole
        if whole:
            return await receive()
        try:
            message = await paced()
        except TimeoutError as error:
            raise RefusedForm(BROKEN) from error
        if message["type"] != "http.request":
            raise RefusedForm(BROKEN)
        parts.look(message.get("body", b""))
        whole = not message.get("more_body", False)
        if whole and not parts.ended:
            raise RefusedForm(BROKEN)
        return message

    return checked
