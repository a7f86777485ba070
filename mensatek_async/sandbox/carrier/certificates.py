"""Certificates to download: a PDF of what was sent and when, and the ZIP of several with their CSV."""

from __future__ import annotations

import csv
import hashlib
import io
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ..clock import SPAIN, write_second
from .statuses import label

_TITLE = "CERTIFICADO (SANDBOX, SIN VALOR LEGAL)"
_ENCODING = "windows-1252"  # of the fonts every PDF reader brings along


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What a certificate states of one recipient."""

    row: Mapping[str, Any]  # of the report, by its wire names
    sender: str
    issuer: tuple[str, ...]  # name, phone, tax id
    text: str  # as the phone showed it
    history: Sequence[tuple[datetime, int]]
    documents: tuple[tuple[str, str], ...]  # name, SHA-256


def certificate_pdf(evidence: Evidence) -> bytes:
    """A PDF that states what was sent to one recipient, and when it reached which status."""
    lines = [
        *(f"{name}: {value}" for name, value in evidence.row.items()),
        f"Remitente: {evidence.sender}",
        f"Emisor: {', '.join(evidence.issuer)}",
        "Mensaje",
        evidence.text,
        "Estados",
        *(f"{write_second(moment)}  {status}  {label(status)}" for moment, status in evidence.history),
        *(f"Documento {name} SHA-256: {digest}" for name, digest in evidence.documents),
    ]
    digest = hashlib.sha256("\n".join(lines).encode()).hexdigest()
    pdf = _new_pdf(evidence.history[-1][0])
    for line in (_TITLE, *lines, f"SHA-256: {digest}"):
        pdf.set_font("Helvetica", "B" if line in (_TITLE, "Mensaje", "Estados") else "", 11)
        line = line.encode(_ENCODING, "replace").decode(_ENCODING) or " "
        pdf.multi_cell(0, 6, line, new_x="LMARGIN", new_y="NEXT")
    return bytes(pdf.output())


def _new_pdf(moment: datetime) -> Any:
    try:
        from fpdf import FPDF  # takes a quarter of a second, and most sandboxes never certify anything
    except ModuleNotFoundError as missing:
        raise ImportError(
            "The sandbox's certificates need more packages: pip install 'mensatek-async[sandbox]'"
        ) from missing
    pdf = FPDF()
    pdf.core_fonts_encoding = _ENCODING
    pdf.set_creation_date(moment.astimezone(SPAIN))
    pdf.set_title("Certificado")
    pdf.add_page()
    return pdf


def certificate_zip(evidence: Sequence[Evidence]) -> bytes:
    """A PDF per recipient, and `resultado.csv` with the report's rows."""
    table = io.StringIO()
    writer = csv.DictWriter(table, fieldnames=list(evidence[0].row), delimiter=";")
    writer.writeheader()
    writer.writerows(one.row for one in evidence)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for one in evidence:
            archive.writestr(f"{one.row['idMensaje']}-{one.row['Telefono']}.pdf", certificate_pdf(one))
        archive.writestr("resultado.csv", table.getvalue())
    return out.getvalue()
