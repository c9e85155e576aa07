"""Charts of a contact sheet as SVG, and values in Grafana's formats."""

import html
import math
import time
from itertools import pairwise

COLORS = {"green": "#56a64b", "red": "#d44a3a", "orange": "#ff9830", "blue": "#5794f2", "purple": "#b877d9"}
LEGEND_COLORS = ("#73bf69", "#f2cc0c", "#8ab8ff", "#ff780a", "#f2495c", "#5794f2", "#b877d9", "#705da0", "#37872d", "#fade2a")
LEFT, BOTTOM, TICKS = 56, 16, 4


def color(name: str) -> str:
    return COLORS.get(name, name)


def threshold_color(defaults: dict, value: float) -> str:
    """Return the color of the highest step that the value reaches."""
    reached = [step for step in defaults["thresholds"]["steps"] if step["value"] is None or value >= step["value"]]
    return color(reached[-1]["color"])


def said(defaults: dict, value: float) -> tuple[str, str]:
    """Return the value's text and color; empty strings without a mapping."""
    for mapping in defaults.get("mappings", ()):
        found = mapping["options"].get(f"{value:g}")
        if found:
            return found["text"], color(found.get("color", ""))
    return "", ""


def formatted(defaults: dict, value: float, end: float = 0.0) -> str:
    """Return the value in its unit."""
    word, _ = said(defaults, value)
    if word:
        return word
    unit, decimals = defaults.get("unit", "none"), defaults.get("decimals")
    if unit == "percentunit":
        return f"{100 * value:.{1 if decimals is None else decimals}f}%"
    if unit == "dateTimeFromNow":
        return _duration((end or time.time()) - value / 1000) + " ago"
    if unit == "s":
        return _duration(value, decimals)
    if unit == "bytes":
        return _scaled(value, 1024, ("B", "KiB", "MiB", "GiB", "TiB"), decimals)
    if unit == "locale":
        return f"{value:,.0f}"
    after = {"reqps": " req/s", "cps": " c/s"}.get(unit, "")
    if unit == "none":
        return _plain(value, decimals)
    return _scaled(value, 1000, ("", " K", " Mil"), decimals) + after


def _plain(value, decimals):
    return (
        f"{value:.{decimals}f}" if decimals is not None else f"{float(f'{value:.3g}') if abs(value) < 1000 else round(value):g}"
    )


def _scaled(value, base, names, decimals):
    for name in names[:-1]:
        if abs(value) < base:
            return _plain(value, decimals) + (f" {name}" if base == 1024 else name)
        value /= base
    return _plain(value, decimals) + (f" {names[-1]}" if base == 1024 else names[-1])


def _duration(value, decimals=None):
    size = abs(value)
    for factor, limit, name in ((1e6, 1e-3, "µs"), (1e3, 1.0, "ms"), (1, 60, "s"), (1 / 60, 3600, "min"), (1 / 3600, 86400, "h")):
        if size < limit:
            return _plain(value * factor, decimals if decimals is not None else None) + f" {name}" if size else "0 s"
    return _plain(value / 86400, decimals) + " d"


def spark(values, shade, width, height) -> str:
    if len(values) < 2:
        return ""
    first, last = values[0][0], values[-1][0]
    low, high = min(v for _, v in values), max(v for _, v in values)
    high = high if high > low else low + 1
    tall = height * 0.6
    points = " ".join(
        f"{(when - first) / (last - first) * width:.1f},{tall - (what - low) / (high - low) * (tall - 3):.1f}"
        for when, what in values
    )
    area = f"0,{tall} {points} {width},{tall}"
    return (
        f'<div class=spark><svg width="{width:.0f}" height="{tall:.0f}"><polygon points="{area}" fill="{shade}" opacity=".15"/>'
        f'<polyline points="{points}" fill="none" stroke="{shade}" opacity=".6"/></svg></div>'
    )


def _time_axis(answers, width, height, left=LEFT) -> tuple:
    """Return a function from time to x, and the SVG of the time axis."""

    def across(when):
        return left + (when - answers.start) / (answers.end - answers.start) * (width - left - 4)

    step = next(
        (step for step in (60, 120, 300, 600, 1800, 3600, 21600) if step * TICKS * 1.5 >= answers.end - answers.start), 86400
    )
    marks, when = [], answers.start - answers.start % step + step
    while when < answers.end:
        label = time.strftime("%H:%M", time.localtime(when))
        marks.append(_text(across(when), height - 3, "middle", label))
        when += step
    return across, "".join(marks)


def line_chart(panel, series, answers, marks, width, height) -> str:
    defaults = panel["fieldConfig"]["defaults"]
    custom = defaults["custom"]
    logarithmic = custom["scaleDistribution"]["type"] == "log"
    stacked = custom["stacking"]["mode"] == "normal"
    across, axis = _time_axis(answers, width, height)
    lines, below = [], {}
    for found in series:
        points = []
        for when, what in found["values"]:
            base = below.get(when, 0.0) if stacked else 0.0
            if stacked:
                below[when] = base + what
            points.append((when, base, base + what))
        lines.append(points)
    tops = [top for points in lines for _, _, top in points if not logarithmic or top > 0]
    if not tops:
        return "<div class=none>0 throughout</div>"
    low, high = min(tops), max(tops)
    if logarithmic:
        low, high = 10 ** math.floor(math.log10(low)), 10 ** math.ceil(math.log10(high) + 1e-9)
        scale = math.log10
        ticks = [10.0**power for power in range(round(math.log10(low)), round(math.log10(high)) + 1)]
    else:
        low, high = defaults.get("min", low), defaults.get("max", high)
        if high <= low:
            high = low + (abs(low) or 1) * 0.1
        step = _nice((high - low) / TICKS, 1024 if defaults["unit"] == "bytes" else 1)
        if defaults.get("decimals") == 0:
            step = max(1, step)
        low = math.floor(low / step + 1e-9) * step
        high = defaults.get("max") or math.ceil(high / step - 1e-9) * step
        ticks = [low + step * number for number in range(round((high - low) / step) + 1)]

        def scale(value):
            return value

    bottom = height - BOTTOM

    def up(value):
        value = max(value, low) if logarithmic else value
        return bottom - (scale(value) - scale(low)) / (scale(high) - scale(low)) * (bottom - 6)

    parts = [axis]
    for tick in ticks:
        if up(tick) < 0:
            continue
        options = {key: value for key, value in defaults.items() if key != "decimals" or defaults["unit"] == "none"}
        if defaults["unit"] == "percentunit" and not logarithmic and step < 0.01:
            options["decimals"] = 2
        text = formatted(options, tick)
        parts.append(
            f'<line x1="{LEFT}" x2="{width - 4:.0f}" y1="{up(tick):.1f}" y2="{up(tick):.1f}" stroke="#2a2d34"/>'
            f'<text x="{LEFT - 4}" y="{up(tick) + 3:.1f}" text-anchor="end">{html.escape(text)}</text>'
        )
    if custom["thresholdsStyle"]["mode"] == "line":
        for limit in defaults["thresholds"]["steps"][1:]:
            if low <= limit["value"] <= high:
                y = up(limit["value"])
                parts.append(
                    f'<line x1="{LEFT}" x2="{width - 4:.0f}" y1="{y:.1f}" y2="{y:.1f}" stroke="{color(limit["color"])}"/>'
                )
    for number, (points, found) in enumerate(zip(lines, series, strict=True)):
        shade = LEGEND_COLORS[number % len(LEGEND_COLORS)]
        for run in _runs(points, found["step"]):
            if custom["lineInterpolation"] == "stepAfter":
                run = _stairs(run)
            top = [f"{across(when):.1f},{up(value):.1f}" for when, _, value in run]
            floor = [f"{across(when):.1f},{up(base if base or not logarithmic else low):.1f}" for when, base, _ in reversed(run)]
            opacity = custom["fillOpacity"] / 100
            parts.append(f'<polygon points="{" ".join(top + floor)}" fill="{shade}" opacity="{opacity}"/>')
            parts.append(f'<polyline points="{" ".join(top)}" fill="none" stroke="{shade}" stroke-width="1.6"/>')
    for when, text in marks:
        x = across(when)
        parts.append(f'<line x1="{x:.1f}" x2="{x:.1f}" y1="4" y2="{bottom}" stroke="{COLORS["purple"]}" stroke-dasharray="3 3"/>')
        title = f"<title>{html.escape(text)}</title>"
        parts.append(f'<path d="M{x - 4:.1f} {bottom + 5} l4 -6 l4 6 z" fill="{COLORS["purple"]}">{title}</path>')
    return f'<svg width="{width:.0f}" height="{height:.0f}">{"".join(parts)}</svg>'


def _nice(step, base):
    """Return the next round number; for bytes, round in KiB, MiB and so on."""
    whole = base ** max(0, math.floor(math.log(step * TICKS, base))) if base > 1 else 1
    power = 10 ** math.floor(math.log10(step / whole))
    return whole * next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power * whole >= step * 0.999)


def _runs(points, step):
    """Split the points at gaps."""
    runs = []
    for point in points:
        if runs and point[0] - runs[-1][-1][0] <= step * 1.5:
            runs[-1].append(point)
        else:
            runs.append([point])
    return runs


def _stairs(run):
    steps = run[:1]
    for before, point in pairwise(run):
        steps += [(point[0], before[1], before[2]), point]
    return steps


def bar_chart(panel, series, width, height) -> str:
    defaults = panel["fieldConfig"]["defaults"]
    if panel["targets"][0].get("format") == "heatmap":
        series = apart(series)
    values = [(found["name"], found["values"][-1][1]) for found in series if found["values"]]
    low = defaults.get("min", 0)
    high = max(defaults.get("max") or max(value for _, value in values), low + 1e-9)
    parts = []
    if panel["options"]["orientation"] == "vertical":
        wide = width / len(values)
        for number, (name, value) in enumerate(values):
            part = min(1, max(0, (value - low) / (high - low)))
            tall, x = (height - 34) * part, number * wide + 2
            shade = threshold_color(defaults, value)
            middle = x + wide / 2 - 2
            parts += [
                _bar(x, 18, wide - 5, height - 34, "#22252b"),
                _bar(x, height - 16 - tall, wide - 5, tall, shade),
                _text(middle, 12, "middle", formatted(defaults, value), shade),
                _text(middle, height - 3, "middle", name),
            ]
    else:
        tall = min(34, height / len(values))
        left = 8 + 6 * max(len(name) for name, _ in values)
        right = 8 + 7 * max(len(formatted(defaults, value)) for _, value in values)
        room = width - left - right
        for number, (name, value) in enumerate(values):
            part = min(1, max(0, (value - low) / (high - low)))
            y, shade = number * tall, threshold_color(defaults, value)
            parts += [
                _text(left - 6, y + tall / 2 + 3, "end", name),
                _bar(left, y + 2, room, tall - 4, "#22252b"),
                _bar(left, y + 2, room * part, tall - 4, shade),
                _text(left + room + 5, y + tall / 2 + 3, "start", formatted(defaults, value), shade),
            ]
    return f'<svg width="{width:.0f}" height="{height:.0f}">{"".join(parts)}</svg>'


def _bar(x, y, width, height, shade, opacity=1.0):
    return f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" fill="{shade}" opacity="{opacity}"/>'


def _text(x, y, anchor, text, shade="#9a9bab"):
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" style="fill:{shade}">{html.escape(text)}</text>'


def apart(series):
    """Turn cumulative buckets into separate ones, as Grafana does for heatmaps."""
    in_order = sorted(series, key=lambda found: float(found["metric"]["le"]))
    below, apart = 0.0, []
    for found in in_order:
        when, value = found["values"][-1]
        apart.append(found | {"values": [(when, max(0.0, value - below))]})
        below = value
    return apart


def strips(panel, series, answers, width, height) -> str:
    defaults = panel["fieldConfig"]["defaults"]
    left = 8 + 6 * max(len(found["name"]) for found in series)
    across, axis = _time_axis(answers, width, height, left)
    tall = min(30, (height - BOTTOM) / len(series))
    parts = [axis]
    for number, found in enumerate(series):
        y = number * tall
        parts.append(_text(left - 5, y + tall / 2 + 3, "end", found["name"]))
        for run in _runs([(when, 0, what) for when, what in found["values"]], found["step"]):
            for index, (when, _, what) in enumerate(run):
                until = run[index + 1][0] if index + 1 < len(run) else min(when + found["step"], answers.end)
                x, end = across(max(when, answers.start)), across(until)
                shade = said(defaults, what)[1] or threshold_color(defaults, what)
                parts.append(_bar(x, y + tall * 0.1, max(0, end - x) + 0.3, tall * 0.8, shade, 0.8))
    return f'<svg width="{width:.0f}" height="{height:.0f}">{"".join(parts)}</svg>'
