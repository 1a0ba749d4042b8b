"""Every generated page and schema, by its name in `docs/`, and what makes its text."""

from docs.generate import message_schema, permissions, schemas, settings

PAGES = {
    "settings.md": settings.page,
    "permissions.md": permissions.page,
    "schemas/message.schema.json": message_schema.page,
    "schemas/receipt.schema.json": schemas.receipt,
    "schemas/report.schema.json": schemas.report,
    "schemas/result.schema.json": schemas.result,
    "schemas/failure.schema.json": schemas.failure,
}
