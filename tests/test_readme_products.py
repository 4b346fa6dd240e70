"""The page of products is what the profiles say; at least 24 of them are real, and the README leads there."""

from __future__ import annotations

import re
from pathlib import Path

from tests.products_table import PAGE, page, real_products

ROOT = Path(__file__).parent.parent


def test_there_are_enough_real_products() -> None:
    products = real_products()
    assert len(products) >= 24
    assert all(product.sources for product in products)


def test_the_page_of_products_is_what_the_profiles_say() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "write it anew: python -m tests.products_table"


def test_the_readme_names_every_make() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    words = set(re.findall(r"\w+", text))
    missing = {product.vendor for product in real_products() if not words & set(re.findall(r"\w+", product.vendor))}
    assert "docs/products.md" in text
    assert not missing
