"""Plot the curves of growth.py as two PNGs: python growth_plots.py GROWTH.json FOLDER, in an environment with matplotlib."""

import json
import sys
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot as plt

# Each quantity has the same color in all plots.
TIME, MEMORY, ANSWERED, REFUSED = "#1a6fb0", "#c4621a", "#2b8a3e", "#b3261e"
plt.rcParams |= {"axes.grid": True, "grid.alpha": 0.25, "axes.spines.top": False, "font.size": 10, "axes.titlesize": 11}


def by_size(axes, curve, title, x_label, memory=True):
    """Plot time on the left and memory on the right axis, both logarithmic, with a dotted line proportional to x."""
    x, seconds = curve["x"], curve["seconds"]
    axes.loglog(x, [1e3 * each for each in seconds], "o-", color=TIME, label="milliseconds")
    axes.loglog(x, [1e3 * seconds[-1] * each / x[-1] for each in x], ":", color=TIME, alpha=0.6, label="proportional")
    axes.set(title=title, xlabel=x_label, ylabel="ms")
    if memory:
        right = axes.twinx()
        right.loglog(x, curve["megabytes"], "s-", color=MEMORY, markersize=4)
        right.set_ylabel("MB", color=MEMORY)
        right.grid(visible=False)
        axes.plot([], [], "s-", color=MEMORY, markersize=4, label="megabytes")
    axes.legend(fontsize=8)


def by_count(axes, curve, lines, title, x_label, y_label):
    for line, (label, color) in lines.items():
        axes.plot(range(len(curve["x"])), curve[line], "o-", color=color, label=label)
    highest = max(max(curve[line]) for line in lines)
    axes.set(title=title, xlabel=x_label, ylabel=y_label, ylim=(0, 1.1 * highest))
    axes.set_xticks(range(len(curve["x"])), [f"{x:g}" for x in curve["x"]])
    axes.legend(fontsize=8)


def network(curves):
    figure, ((one, two, three), (four, five, six)) = plt.subplots(2, 3, figsize=(13, 7.4))
    by_size(one, curves["training"], "A training step", "batch size")
    by_size(two, curves["reading"], "Predictions, two threads", "images")
    both = {"trained": ("training, batches of 128", TIME), "read": ("prediction, 512 at once", ANSWERED)}
    by_count(three, curves["threads"], both, "Threads, on two cores", "threads", "images a second")
    by_size(four, curves["strokes"], "Strokes to 28 x 28", "points", memory=False)
    by_size(five, curves["canvas"], "An image to 28 x 28", "pixels", memory=False)
    for name, label, color in (("training", "training", TIME), ("reading", "prediction, two threads", ANSWERED)):
        curve = curves[name]
        six.loglog(curve["x"], [1e6 * cost / x for x, cost in zip(curve["x"], curve["seconds"])], "o-", color=color, label=label)
    six.set(title="Time for each image", xlabel="images at once", ylabel="µs for each image")
    six.legend(fontsize=8)
    return figure


def service(curves):
    figure, ((one, two), (three, four)) = plt.subplots(2, 2, figsize=(13, 7.4))
    by_connections = curves["connections"]
    both = {"answered": ("answered", ANSWERED), "refused": ("rejected, 429", REFUSED)}
    by_count(one, by_connections, both, "One replica", "connections, each without a pause", "requests a second")
    half = {"p50_ms": ("median", TIME), "p99_ms": ("99th percentile", REFUSED)}
    by_count(two, by_connections, half, "Latency, answered or rejected", "connections", "ms")
    by_count(three, by_connections, {"megabytes": ("process", MEMORY)}, "Memory of the service", "connections", "MB")
    answered = {"answered": ("answered", ANSWERED)}
    by_count(four, curves["replicas"], answered, "Replicas behind nginx, on two cores", "replicas", "requests a second")
    return figure


def main():
    document = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    for name, draw in (("network", network), ("service", service)):
        figure = draw(document["curves"])
        figure.tight_layout()
        figure.savefig(Path(sys.argv[2]) / f"growth-{name}.png", dpi=90)


if __name__ == "__main__":
    main()
