"""What every record that is written and validated is made of: pydantic models that refuse what they do not know."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=0)]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class Record(BaseModel):
    """A part of a record; it cannot be changed."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)
