/** Asks the Prometheus HTTP API as its clients do. */
import { fetchWorker, get } from "../../worker.ts";

export interface Answer<Data = any> {
  status: "success" | "error";
  data: Data;
  errorType?: string;
  error?: string;
  warnings?: string[];
  infos?: string[];
}

type Given = Record<string, string | number | string[]>;

export function toForm(parameters: Given): string {
  const form = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    for (const one of Array.isArray(value) ? value : [value]) form.append(name, String(one));
  }
  return form.toString();
}

/** A request that posts the parameters as a form. */
export const formOf = (parameters: Given): RequestInit => ({
  method: "POST",
  headers: { "Content-Type": "application/x-www-form-urlencoded" },
  body: toForm(parameters),
});

export async function ask<Data = any>(path: string, parameters: Given = {}): Promise<Answer<Data>> {
  const response = await get(`${path}?${toForm(parameters)}`);
  return (await response.json()) as Answer<Data>;
}

export async function askByForm<Data = any>(path: string, parameters: Given): Promise<Answer<Data>> {
  const response = await fetchWorker(path, formOf(parameters));
  return (await response.json()) as Answer<Data>;
}

/** The status of the answer, with its error as Prometheus writes it. */
export async function failure(path: string, parameters: Given): Promise<[number, string, string]> {
  const response = await fetchWorker(path, formOf(parameters));
  const { errorType, error } = (await response.json()) as Answer;
  return [response.status, errorType ?? "", error ?? ""];
}

/** The values of an instant query, by the label. Without a label, the only value. */
export async function valuesOf(
  query: string,
  atMs: number,
  label = "function",
): Promise<Record<string, number>> {
  const { data, error } = await ask("/api/v1/query", { query, time: atMs / 1000 });
  if (error !== undefined) throw new Error(error);
  return Object.fromEntries(
    data.result.map(({ metric, value }: { metric: Record<string, string>; value: [number, string] }) => [
      metric[label] ?? "",
      Number(value[1]),
    ]),
  );
}
