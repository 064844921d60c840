"""README and docs: their size, their links, and what the README's code prints."""

import ast
import pathlib
import re
import runpy

import pytest

ROOT = pathlib.Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = {
    path.relative_to(ROOT).as_posix(): path
    for path in (*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"))
}


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def test_the_readme_is_short():
    assert len(README.splitlines()) <= 200
    assert len(README.split()) <= 1500


def test_its_tables_are_narrow():
    rows = [line for line in README.splitlines() if line.startswith("|")]
    assert max(line.count("|") - 1 for line in rows) <= 6


@pytest.mark.parametrize("name", PAGES)
def test_links_lead_to_files_that_are_there(name):
    text = PAGES[name].read_text(encoding="utf-8")
    links = re.findall(r"\]\(([^)#]+)[^)]*\)", text)
    local = [link for link in links if "://" not in link]
    gone = [link for link in local if not (PAGES[name].parent / link).exists()]
    assert gone == []


def anchors(path):
    """Anchors of a page's headings, as GitHub and mkdocs make them."""
    text = re.sub(r"```.*?```", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    plain = (re.sub(r"[^\w\s-]", "", heading).strip().lower() for heading in headings)
    return {re.sub(r"[\s]+", "-", heading) for heading in plain}


@pytest.mark.parametrize("name", PAGES)
def test_links_to_a_part_of_a_page_lead_there(name):
    text = PAGES[name].read_text(encoding="utf-8")
    links = re.findall(r"\]\(([^):#]*)#([^)]+)\)", text)
    gone = [
        (link, anchor)
        for link, anchor in links
        if anchor not in anchors(PAGES[name].parent / link if link else PAGES[name])
    ]
    assert gone == []


def test_pictures_are_small_and_shown_somewhere():
    texts = "".join(path.read_text(encoding="utf-8") for path in PAGES.values())
    pictures = [*(ROOT / "docs").rglob("*.png")]
    assert [path.name for path in pictures if path.stat().st_size > 200_000] == []
    unseen = {path.name for path in pictures if f"{path.name})" not in texts}
    assert unseen == {"ships.png"}  # a part of README's picture


def test_every_guide_is_in_the_navigation_and_on_the_first_page():
    navigation = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    index = (ROOT / "docs" / "index.md").read_text(encoding="utf-8")
    for guide in (ROOT / "docs" / "guides").glob("*.md"):
        assert f"guides/{guide.name}" in navigation
        assert f"(guides/{guide.name})" in index


@pytest.mark.slow  # test_guides.py runs the block with fewer digits
def test_the_first_block_is_the_quickstart_and_prints_what_is_shown(capsys):
    script = ROOT / "examples" / "quickstart.py"
    lines = ast.parse(script.read_text(encoding="utf-8")).body[1:]
    assert ast.dump(ast.parse(blocks("python")[0])) == ast.dump(ast.Module(lines, []))
    runpy.run_path(str(script))
    number = r"\d+\.\d+"
    shown, printed = blocks("text")[0], capsys.readouterr().out
    assert re.sub(number, "", printed) == re.sub(number, "", shown)
    pairs = zip(re.findall(number, printed), re.findall(number, shown), strict=True)
    for value, expected in pairs:
        # Another processor, another rounding.
        assert float(value) == pytest.approx(float(expected), abs=0.1)
