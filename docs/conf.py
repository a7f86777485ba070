"""Sphinx settings of the site: `nox -s docs` builds it into build/site, offline."""

import os
import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from mensatek_async import __version__

project = "mensatek-async"
author = "The mensatek-async developers"
copyright = author
release = version = __version__

extensions = ["sphinx.ext.autodoc", "sphinx.ext.napoleon", "myst_parser"]
exclude_patterns = ["examples", "deploy"]

# Docstrings are in Google's style; what stands in backquotes is a name, and a link where it is one of the reference.
smartquotes_action = "De"  # dashes; "" stays what one writes
default_role = "py:obj"
napoleon_use_ivar = True
napoleon_use_admonition_for_examples = True
autodoc_default_options = {"members": True, "member-order": "bysource", "inherited-members": False}
autodoc_typehints_format = "short"
maximum_signature_line_length = 90
add_module_names = False
python_use_unqualified_type_names = True

myst_heading_anchors = 4
myst_enable_extensions = ["colon_fence"]

# Links into the documents of Python and the libraries need the network, so they are asked for.
if os.environ.get("DOCS_INTERSPHINX"):
    extensions.append("sphinx.ext.intersphinx")
    intersphinx_mapping = {
        "python": ("https://docs.python.org/3", None),
        "anyio": ("https://anyio.readthedocs.io/en/stable", None),
    }

html_theme = "furo"
html_title = f"mensatek-async {release}"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_copy_source = False
html_theme_options = {"navigation_with_keys": True}


def setup(app):
    """Show a default that is made anew for each object, which attrs calls NOTHING, as three dots; link each page and
    its twin in the other language, below the title."""

    def shown(app, what, name, value, options, signature, returns):
        return (signature or "").replace("= NOTHING", "= ...") or signature, returns

    def link_twin(app, page, source):
        spanish = page.startswith("es/")
        twin = page.removeprefix("es/") if spanish else f"es/{page}"
        if twin in app.env.found_docs and page not in ("index", "es/index"):  # these have their own
            link = f"[{'English' if spanish else 'Español'}](/{twin}.md)"
            source[0] = re.sub(r"^# .+$", rf"\g<0>\n\n{link}", source[0], count=1, flags=re.MULTILINE)

    def speak(app, page, template, context, tree):
        if page.startswith("es/"):
            context["language"] = "es"

    app.connect("autodoc-process-signature", shown)
    app.connect("source-read", link_twin)
    app.connect("html-page-context", speak)
