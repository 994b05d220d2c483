#!/usr/bin/env bash
# Prints the folders whose package has a version that npm does not have yet, as the line "packages=…".
set -euo pipefail
cd "$(dirname "$0")/../.."

pending=()
for folder in ./client .; do
  name=$(node -p "require('$folder/package.json').name")
  version=$(node -p "require('$folder/package.json').version")
  if [ -z "$(node -p "require('$folder/package.json').repository ?? ''")" ]; then
    echo "$folder/package.json has no \"repository\", so npm would refuse provenance: nothing is published." >&2
    continue
  fi
  if [ "$(npm view "$name@$version" version 2> /dev/null || true)" != "$version" ]; then pending+=("$folder"); fi
done
echo "packages=${pending[*]:-}"
