"""Model files: YAML in the format of gammapy 2, with its covariance table."""

from gammajax.models.io.read import models_from_yaml, read_models
from gammajax.models.io.write import models_to_yaml, write_models

__all__ = ["models_from_yaml", "models_to_yaml", "read_models", "write_models"]
