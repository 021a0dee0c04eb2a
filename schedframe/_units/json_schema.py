"""The JSON Schema of a type, as an annotation."""

from typing import Any

from pydantic import GetJsonSchemaHandler, WithJsonSchema


class JSONSchema(WithJsonSchema):
    """pydantic's own, for a schema that several types share.

    Before 2.10 pydantic writes the description and default of each field into the schema that it is given.
    """

    def __get_pydantic_json_schema__(self, core_schema: Any, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """Return a copy of the schema."""
        return {**super().__get_pydantic_json_schema__(core_schema, handler)}
