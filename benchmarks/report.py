"""What was measured, as tables, plain data, and a document with a plot."""

from __future__ import annotations

import platform
import statistics
import subprocess
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from servers import ENVIRONMENT, VERSIONS

Results = Mapping[str, Mapping[str, list["Measured"]]]
COLOURS = {
    "vpcdns": "#2563eb",
    "yardstick": "#a3a3a3",
    "dnsmasq": "#d97706",
    "Unbound": "#059669",
    "BIND": "#7c3aed",
}


@dataclass(frozen=True, slots=True)
class Measured:
    """One server, one case, one round. CPU and latency in microseconds."""

    qps: float
    cpu: float
    p50: float
    p99: float
    lost: float


def table(title: str, measured: Mapping[str, list[Measured]]) -> str:
    medians = {name: median(rounds) for name, rounds in measured.items()}
    ours = next(iter(medians.values()))
    lines = [
        f"\n### {title}\n",
        "| server | queries/s | CPU µs/query | p50 µs | p99 µs | lost | CPU: first to this |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for name, row in medians.items():
        ratio = f"{ours.cpu / row.cpu:.2f}" if row.cpu else "-"
        lines.append(
            f"| {name} | {row.qps:,.0f} | {row.cpu:.1f} | {row.p50:.0f} | {row.p99:.0f} "
            f"| {row.lost:.2%} | {ratio} |"
        )
    return "\n".join(lines)


def median(rounds: list[Measured]) -> Measured:
    columns = zip(*(asdict(one).values() for one in rounds), strict=True)
    return Measured(*(statistics.median(column) for column in columns))


def plain(results: Results) -> dict[str, object]:
    return {
        case: {name: [asdict(one) for one in rounds] for name, rounds in measured.items()}
        for case, measured in results.items()
    }


def host() -> dict[str, str]:
    cpu = next(
        (line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")), ""
    )
    return {
        "CPU": cpu.partition(":")[2].strip(),
        "kernel": platform.release(),
        "Python": platform.python_version(),
        **{name: _version(command) for name, command in VERSIONS.items()},
    }


def _version(command: list[str]) -> str:
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=20, check=False, env=ENVIRONMENT
        )
    except OSError:
        return "not installed"
    lines = (done.stdout + done.stderr).strip().splitlines()
    return lines[0].strip()[:80] if lines else "unknown"


def write_document(path: Path, titles: Mapping[str, str], results: Results) -> None:
    """Replaces what stands behind the line `## Measured`; the plot goes beside it as SVG."""
    head = path.read_text().partition("## Measured")[0] if path.exists() else "# Performance\n\n"
    told = [f"## Measured\n\n{datetime.now(UTC):%Y-%m-%d}. `make bench` made these tables.\n"]
    told += [f"- {name}: {value}" for name, value in host().items()]
    told.append(f"\n![CPU time per query]({path.stem}.svg)")
    told += [table(titles[name], measured) for name, measured in results.items()]
    path.write_text(head + "\n".join(told) + "\n")
    path.with_suffix(".svg").write_text(plot(titles, results))


def plot(titles: Mapping[str, str], results: Results) -> str:
    """Bars of CPU time per query, of one scale but for a case that would not fit the page."""
    widest, y, drawn = 560.0, 10, list[str]()
    for name, measured in results.items():
        drawn.append(f'<text x="10" y="{y + 14}" font-weight="bold">{titles[name]}</text>')
        y += 20
        scale = min(14.0, widest / max(median(rounds).cpu for rounds in measured.values()))
        for server, rounds in measured.items():
            cpu = median(rounds).cpu
            width = cpu * scale
            drawn.append(f'<text x="10" y="{y + 11}">{server}</text>')
            drawn.append(
                f'<rect x="90" y="{y}" width="{width:.0f}" height="13" fill="{COLOURS.get(server, "#888")}"/>'
            )
            drawn.append(f'<text x="{94 + width:.0f}" y="{y + 11}">{cpu:.1f} µs</text>')
            y += 16
        y += 12
    style = (
        '<style>text{font:12px sans-serif;fill:#222}</style><rect width="100%" height="100%" fill="#fff"/>'
    )
    return f'<svg xmlns="http://www.w3.org/2000/svg" width="730" height="{y}">{style}{"".join(drawn)}</svg>\n'
