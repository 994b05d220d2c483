#!/usr/bin/env bash
# Raises the versions and writes the changelogs from the files in .changeset/. Run by the release workflow.
set -euo pipefail
cd "$(dirname "$0")/../.."

# Changesets sees workspaces only, and the root is the package "metrics-collector". As a workspace of its own it would
# be linked into its own node_modules, so it is one for this command alone.
before=$(npm pkg get workspaces)
npm pkg set 'workspaces[]=.'
trap 'npm pkg set --json workspaces="$before"' EXIT
npx --yes @changesets/cli@3.0.3 version
npm pkg set --json workspaces="$before"
trap - EXIT

# The lockfile names the versions as well.
npm install --package-lock-only --ignore-scripts
