"""Measuring in turn: every round of every contender, shuffled, and the medians."""
import random
import resource
import statistics


def interleaved(rounds, measures):
    """`measures` maps a contender to a function that gives figures by name; gives the medians of these by contender."""
    results = {contender: [] for contender in measures}
    turns = list(measures) * rounds
    random.shuffle(turns)
    for contender in turns:
        results[contender].append(measures[contender]())
    return {contender: medians(figures) for contender, figures in results.items()}


def medians(figures):
    """Of a list of figures by name, the median of each name."""
    return {name: statistics.median(entry[name] for entry in figures) for name in figures[0]}


class Costs:
    """CPU seconds that a server and its clients, which are this process, have taken since this was made."""

    def __init__(self, server):
        self.process = server.process
        self.since = self._now()

    def _now(self):
        usage = resource.getrusage(resource.RUSAGE_SELF)
        return self.process.cpu_seconds(), usage.ru_utime + usage.ru_stime

    def per(self, amount):
        """Both, for each of `amount`."""
        server, client = (now - then for now, then in zip(self._now(), self.since))
        return {"cpu": server / amount, "client": client / amount}


def ratio(ours, theirs):
    """Not a number where the other side took nothing that can be measured."""
    return ours / theirs if theirs else float("nan")


def table(*columns):
    """Prints the head of a table; gives a function that prints a row, numbers with three digits."""

    def row(*cells):
        texts = [cell if isinstance(cell, str) else f"{cell:.3g}" for cell in cells]
        print("| " + " | ".join(texts) + " |", flush=True)

    print()
    row(*columns)
    row(*["---"] * len(columns))
    return row
