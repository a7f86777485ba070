"""Sphinx settings of the site: `nox -s docs` builds it into build/site, offline."""

import os
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
    """Show a default that is made anew for each object, which attrs calls NOTHING, as three dots."""

    def shown(app, what, name, value, options, signature, returns):
        return (signature or "").replace("= NOTHING", "= ...") or signature, returns

    app.connect("autodoc-process-signature", shown)
