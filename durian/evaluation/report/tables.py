"""The report's tables as HTML: figures with their intervals, and in words which direction is good."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape

from durian.evaluation.report.statistics import Estimate
from durian.evaluation.report.summary import Row

ARROWS = {True: ' <abbr title="more is better">↑</abbr>', False: ' <abbr title="less is better">↓</abbr>'}
MISSING = '<td class="none">–</td>'


def means_table(rows: Sequence[Row], methods: Sequence[str]) -> str:
    """Every figure with a column for each method; the best mean is marked."""
    body = "".join(f"<tr>{_row_head(row)}{''.join(_mean_cell(row, method) for method in methods)}</tr>" for row in rows)
    return _table("Means over cases, with 95 % confidence intervals", ["figure", *methods], body)


def differences_table(rows: Sequence[Row], methods: Sequence[str], baseline: str) -> str:
    """The others' differences to the baseline; what cannot be chance is marked as better or worse."""
    others = [method for method in methods if method != baseline]
    body = "".join(
        f"<tr>{_row_head(row)}{''.join(_difference_cell(row, method) for method in others)}</tr>"
        for row in rows
        if row.differences
    )
    return _table(f"Difference to {baseline}, case by case, with 95 % confidence intervals", ["figure", *others], body)


def groups_table(groups: Mapping[str, Sequence[Row]], key: str, methods: Sequence[str], title: str) -> str:
    """One figure with a row for each group of cases."""
    body = ""
    for group, rows in groups.items():
        row = next((row for row in rows if row.key == key), None)
        if row is not None:
            count = max(mean.count for mean in row.means.values())
            cells = "".join(_mean_cell(row, method) for method in methods)
            body += f'<tr><th scope="row">{escape(group)} <small>{count} cases</small></th>{cells}</tr>'
    return _table(title, ["cases", *methods], body)


def heat_table(
    title: str, rows: Sequence[int], columns: Sequence[int], values: Sequence[Sequence[float | None]]
) -> str:
    """Means over pose gap (rows, degrees) and light gap (columns), coloured from the worst to the best of them."""
    known = [value for line in values for value in line if value is not None]
    low, high = (min(known), max(known)) if known else (0.0, 0.0)

    def cell(value: float | None) -> str:
        if value is None:
            return MISSING
        share = (value - low) / (high - low) if high > low else 0.5
        return f'<td class="heat" style="--share:{share:.3f}">{number(value)}</td>'

    body = "".join(
        f'<tr><th scope="row">{pose}°</th>{"".join(cell(value) for value in line)}</tr>'
        for pose, line in zip(rows, values, strict=True)
    )
    return _table(title, ["pose gap", *(f"light {light}" for light in columns)], body)


def plain_table(caption: str, heads: Sequence[str], lines: Iterable[Sequence[object]]) -> str:
    """Texts and numbers; the first of each line heads it."""
    body = "".join(
        f'<tr><th scope="row">{escape(str(head))}</th>'
        + "".join(MISSING if cell is None else f"<td>{_text(cell)}</td>" for cell in cells)
        + "</tr>"
        for head, *cells in lines
    )
    return _table(caption, heads, body)


def number(value: float) -> str:
    """Four digits, or three behind the point for small ones; a true minus."""
    digits = 1 if abs(value) >= 100 else 2 if abs(value) >= 10 else 3
    return f"{value:.{digits}f}".replace("-", "−")


def _text(cell: object) -> str:
    return number(cell) if isinstance(cell, float) else escape(str(cell))


def _row_head(row: Row) -> str:
    better = row.figure.higher_is_better
    arrow = "" if better is None else ARROWS[better]
    unit = f" <small>{escape(row.figure.unit)}</small>" if row.figure.unit else ""
    return f'<th scope="row" title="{escape(row.figure.definition)}">{escape(row.title)}{unit}{arrow}</th>'


def _mean_cell(row: Row, method: str) -> str:
    if method not in row.means:
        return MISSING
    mark = ' class="best"' if method in row.best else ""
    return f"<td{mark}>{_with_interval(row.means[method])}</td>"


def _difference_cell(row: Row, method: str) -> str:
    if method not in row.differences:
        return MISSING
    difference, better = row.differences[method], row.figure.higher_is_better
    if better is None or not difference.is_apart_from_zero:
        return f"<td>{_with_interval(difference, signed=True)}</td>"
    verdict = "better" if (difference.mean > 0) == better else "worse"
    return (
        f'<td class="{verdict}">{_with_interval(difference, signed=True)}<small class="verdict">{verdict}</small></td>'
    )


def _with_interval(value: Estimate, signed: bool = False) -> str:
    sign = "+" if signed and value.mean > 0 else ""
    return f"<span>{sign}{number(value.mean)}</span><small>{number(value.low)} to {number(value.high)}</small>"


def _table(caption: str, heads: Sequence[str], body: str) -> str:
    columns = "".join(f'<th scope="col">{escape(head)}</th>' for head in heads)
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{escape(caption)}"><table>'
        f"<caption><span>{escape(caption)}</span></caption><thead><tr>{columns}</tr></thead><tbody>{body}</tbody></table></div>"
    )
