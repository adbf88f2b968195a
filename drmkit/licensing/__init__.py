"""License delivery authorization at DRMtoday: upfront tokens (JWT), custom data, and what they say of rights.

Sources: Tencent Cloud, "DRM integration", step two (5), for where it is switched on; castLabs' page "License Delivery
Authorization" in the public copy of https://github.com/eligiorbautista/drm for headers, claims, algorithms, fields.
"""

from __future__ import annotations

__all__ = ["CUSTOM_DATA_HEADER", "TOKEN_HEADER"]

TOKEN_HEADER = "x-dt-auth-token"
"""The header of a license request that holds an upfront token."""

CUSTOM_DATA_HEADER = "x-dt-custom-data"
"""The header of a license request without a token: whose license it is, for callback authorization and test modes."""
