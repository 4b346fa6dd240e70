"""Structured logs: one JSON object a line, on standard output."""

from __future__ import annotations

import logging
import sys

import structlog


def set_up(level: str) -> None:
    """Send everything, also what libraries log, through one shape. `ValueError` for an unknown level."""
    numbers = logging.getLevelNamesMapping()
    if level.upper() not in numbers:
        raise ValueError(f"log level {level!r}, expected one of {', '.join(name.lower() for name in numbers)}")
    number = numbers[level.upper()]
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
        structlog.processors.format_exc_info,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(number),
        cache_logger_on_first_use=True,
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(number)
    # One line a statement, and SQL with its values, is nothing for a log.
    for name in ("sqlalchemy.engine", "alembic", "aiomqtt", "paho"):
        logging.getLogger(name).setLevel(max(number, logging.WARNING))
