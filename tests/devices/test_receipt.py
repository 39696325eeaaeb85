import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.devices import receipt
from gateway.devices.receipt import Code, Line
from tests.devices.store import ISSUER, LEGEND, document

SPANISH = """\
            Pulpería El Sol
      Comercial El Sol S. de R.L.
           RTN 08019995123456
       Col. Kennedy, Tegucigalpa
       Blvd. Morazán, Tegucigalpa
             Tel. 2230-0000
             sol@example.hn
========================================
                FACTURA
        No. 000-001-01-00000042
Fecha:                  2026-11-21 10:20
Caja:                              front
Cajero:                              ana
Cliente: Juana Núñez
RTN: 08011999123456
----------------------------------------
Plátano maduro
  1.000 x 3.99
  Descuento -0.50                   3.49
Bolsa
  2.000 x 1.50                      3.00
----------------------------------------
Descuentos y rebajas                0.50
Importe exento                      3.49
Importe gravado 15%                 2.61
Impuesto 15%                        0.39
TOTAL                             L 6.49
Efectivo                           10.00
Cambio                              3.51
----------------------------------------
CAI:
A1B2C3-D4E5F6-A1B2C3-D4E5F6-A1B2C3-D4
Rango autorizado: 000-001-01-00000001 -
000-001-01-00000500
Fecha límite de emisión: 2027-06-30
           Original: Cliente
   Copia: Obligado tributario emisor
"""


def plain(paper=None, issuer=None, legend=LEGEND, language="es", columns=40, *, copy=False):
    return receipt.plain(
        receipt.render(paper or document(), ISSUER if issuer is None else issuer, legend, language, columns, copy=copy)
    )


def test_a_honduran_invoice_in_spanish():
    assert plain() == SPANISH


def test_the_same_in_english_has_english_labels_and_the_laws_own_words():
    text = plain(language="en")
    for words in ("INVOICE", "Customer: Juana Núñez", "Exempt", "Taxable 15%", "Cash", "Copia: Obligado"):
        assert words in text
    assert "FACTURA" not in text


def test_a_language_we_do_not_have_is_english():
    assert plain(language="de") == plain(language="en")


def test_a_reprint_says_so_at_both_ends():
    lines = plain(copy=True).splitlines()
    assert lines[0].strip() == lines[-1].strip() == "*** COPIA ***"
    assert "*** COPY ***" in plain(language="en", copy=True)
    assert "COPIA ***" not in plain()


def test_a_void_document_says_so_and_a_copy_of_it_says_both():
    void = document(status="void", void={"reason": "error", "till": "front"})
    lines = plain(void, copy=True).splitlines()
    assert [line.strip() for line in lines[:2]] == ["*** ANULADA ***", "*** COPIA ***"]
    assert "*** VOID ***" in plain(void, language="en")


def test_a_credit_note_names_authority_number_and_date_of_its_original():
    reference = {
        "document": "x",
        "reason": "Devolución",
        "type": "invoice",
        "formatted_number": "000-001-01-00000007",
        "fiscal_date": "2026-11-20",
        "authority_ref": "CAI-OF-THE-ORIGINAL",
        "lines": [],
    }
    text = plain(document(type="credit_note", references=[reference]))
    for words in ("NOTA DE CRÉDITO", "000-001-01-00000007", "2026-11-20", "CAI-OF-THE-ORIGINAL", "Motivo: Devolución"):
        assert words in text


def test_what_is_not_known_is_not_printed():
    bare = plain(
        document(customer=None, authority=None, issued_by={}, payments=[], change="0.00"), issuer={}, legend=()
    )
    for word in ("RTN", "Tel.", "Cliente", "Cajero", "Rango", "Cambio", "None"):
        assert word not in bare
    assert "Fecha:                        2026-11-21" in bare


def test_a_tax_id_is_called_what_the_country_calls_it():
    assert "RUT 08019995123456" in plain(issuer={**ISSUER, "tax_id_label": "RUT"})


def test_paper_that_is_too_narrow_is_refused():
    with pytest.raises(ValueError, match="24 columns"):
        plain(columns=20)


names = st.text(max_size=120)


@given(names, names, names, st.integers(receipt.COLUMNS_MIN, 64))
def test_no_line_is_wider_than_the_paper_and_no_text_holds_a_command(name, customer, issuer_name, columns):
    paper = document(customer={"tax_id": name[:20], "name": customer}, till=name[:30] or "t")
    paper["lines"][0]["name"] = name
    blocks = receipt.render(paper, {**ISSUER, "name": issuer_name}, [customer], "es", columns)
    for block in blocks:
        assert isinstance(block, Line)
        assert len(block.text) <= columns
        assert block.text.isprintable()


@given(st.text(), st.integers(1, 80))
def test_wrapping_loses_no_word_and_keeps_the_width(text, columns):
    lines = receipt.wrapped(text, columns)
    assert all(len(line) <= columns for line in lines)
    assert "".join("".join(lines).split()) == "".join(receipt.printable(text).split())


def test_free_text_keeps_its_empty_lines():
    assert receipt.plain(receipt.text_lines(["a", "", "b" * 50], 48)) == "a\n\n" + "b" * 48 + "\nbb\n"


def test_plain_text_shows_what_is_in_a_code():
    assert receipt.plain([Line("a"), Code("https://x")]) == "a\nhttps://x\n"
