"""The README (or docs/) names every product that a profile describes; at least 24 of them are real."""

from __future__ import annotations

from pathlib import Path

from tests.products_table import real_products

ROOT = Path(__file__).parent.parent


def test_there_are_enough_real_products() -> None:
    products = real_products()
    assert len(products) >= 24
    assert all(product.sources for product in products)


def test_the_readme_names_every_product() -> None:
    pages = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
    text = "\n".join(page.read_text(encoding="utf-8") for page in pages if page.exists())
    missing = [product.id for product in real_products() if product.id not in text and product.name.en not in text]
    assert not missing, f"print the rows with `python -m tests.products_table`; missing: {', '.join(missing)}"
