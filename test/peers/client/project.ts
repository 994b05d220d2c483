/** A project of its own, into which the packed client and other packages are installed from npm. */
import { execFile } from "node:child_process";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const execute = promisify(execFile);
const client = fileURLToPath(new URL("../../../client", import.meta.url));

export interface Project {
  /** The packed client. */
  tarball: string;
  folder: string;
  write(file: string, text: string): Promise<void>;
  /** Runs Node with these arguments. Returns what it printed, whether it succeeded or not. */
  node(...args: string[]): Promise<{ code: number; output: string }>;
  remove(): Promise<void>;
}

/** Undefined, with a line on stderr, if npm cannot install the packages. */
export async function installProject(
  title: string,
  packages: readonly string[],
): Promise<Project | undefined> {
  const folder = await mkdtemp(join(tmpdir(), "peers-"));
  await writeFile(join(folder, "package.json"), '{ "name": "project", "private": true, "type": "module" }');
  let tarball: string | undefined;
  try {
    await execute("npm", ["pack", "--pack-destination", folder], { cwd: client });
    [tarball] = (await readdir(folder)).filter((name) => name.endsWith(".tgz"));
    const options = ["--no-audit", "--no-fund", "--ignore-scripts", "--legacy-peer-deps"];
    await execute("npm", ["install", ...options, `./${tarball!}`, ...packages], {
      cwd: folder,
      timeout: 280_000,
    });
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    if (process.env["CI"]) throw error;
    process.stderr.write(
      `\nSKIPPED: ${title}, since npm cannot install ${packages.join(" ")}: ${String(error)}\n`,
    );
    return undefined;
  }
  return {
    folder,
    tarball: tarball!,
    write: (file, text) => writeFile(join(folder, file), text),
    async node(...args) {
      try {
        const { stdout, stderr } = await execute(process.execPath, args, { cwd: folder, timeout: 120_000 });
        return { code: 0, output: stdout + stderr };
      } catch (error) {
        const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
        return { code, output: `${stdout}${stderr}` };
      }
    },
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}
