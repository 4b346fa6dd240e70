"""What is installed where: the site file, its rule files, who may pass; read, checked and explained."""

from config.load import LoadedSite, load_site
from config.mistakes import Mistake, SiteErrors

__all__ = ["LoadedSite", "Mistake", "SiteErrors", "load_site"]
