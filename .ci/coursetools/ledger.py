"""The README's two tables: the notebooks, and the chapter's claims with what was measured."""

import re

from coursetools import badges, notebooks
from coursetools.notebooks import ROOT, CourseError
from helpers.claims import measured

MIME = "application/vnd.from-pca-to-stylegan.claim+json"
README = ROOT / "README.md"
MARKS = {
    "holds": "✓ holds",
    "fails": "✗ fails",
    "disputed": "✗ does not hold",
    "undecided": "– undecided",
    "not judged": "–",
}
BADGE = "https://colab.research.google.com/assets/colab-badge.svg"


def rows(path):
    """The claim rows in a notebook's committed outputs, in order."""
    return [
        output.data[MIME]
        for cell in notebooks.code_cells(notebooks.read(path))
        for output in cell.outputs
        if MIME in output.get("data", {})
    ]


def ledger_table():
    """The ledger of all notebooks as Markdown: the chapter's claims, then the published runs."""
    found = [(row, path) for path in notebooks.select("all") for row in rows(path)]
    found.sort(key=lambda pair: int(pair[0]["id"][1:]))
    claims = [(row, path) for row, path in found if row["id"].startswith("C")]
    published = [(row, path) for row, path in found if row["id"].startswith("R")]
    num_statements = len({row["id"] for row, _ in claims})
    parts = [f"{num_statements} statements measured, in {len(claims)} rows."]
    parts.append(_table("what the chapter says, in our words", claims))
    if published:
        parts.append("The chapter's recipes beside published runs of them:")
        parts.append(_table("published", published))
    return "\n\n".join(parts)


def _table(title, found):
    lines = [f"| id | {title} | measured | expected | | where |", "|---|---|---|---|---|---|"]
    for row, path in found:
        note = f"<br><sub>{row['note']}</sub>" if row["note"] else ""
        lines.append(
            f"| {row['id']} | {row['says']}{note} | {measured(row)} | {row['criterion']} "
            f"| {MARKS[row['status']]} | [{path.stem[:2]}](notebooks/{path.name}) |"
        )
    return "\n".join(lines)


def notebook_table():
    """The notebooks as Markdown: title, badge, minutes, and on how many cores."""
    repo, ref = badges.address()
    lines = ["| lesson | open | minutes | on CPU cores |", "|---|---|---|---|"]
    for path in notebooks.select("all"):
        notebook = notebooks.read(path)
        title = notebook.cells[0].source.splitlines()[0].lstrip("# ")
        stamp = notebook.metadata.get("from_pca", {})
        link = f"https://colab.research.google.com/github/{repo}/blob/{ref}/notebooks/{path.name}"
        lines.append(
            f"| [{title}](notebooks/{path.name}) | [![Open in Colab]({BADGE})]({link}) "
            f"| {stamp.get('minutes', '–')} | {stamp.get('cores', '–')} |"
        )
    return "\n".join(lines)


def updated_readme():
    """The README's text with both tables made anew."""
    text = README.read_text(encoding="utf-8")
    for name, table in (("notebooks", notebook_table()), ("ledger", ledger_table())):
        pattern = re.compile(f"(<!-- {name}:start -->\n).*?(<!-- {name}:end -->)", re.DOTALL)
        if not pattern.search(text):
            raise CourseError(f"README.md lacks the markers <!-- {name}:start --> and :end.")
        text = pattern.sub(lambda found, t=table: f"{found[1]}{t}\n{found[2]}", text)
    return text


def write():
    """Write both tables into the README."""
    README.write_text(updated_readme(), encoding="utf-8")
    print("README.md: tables of notebooks and claims are up to date.")
