/** Answers in the shape of the Cloudflare API. */

export class ApiError extends Error {
  readonly status: number;
  readonly code: number;

  constructor(status: number, code: number, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

export interface ApiRequest {
  method: string;
  url: URL;
  /** The path below `/accounts/{id}`, or the whole path where there is no account in it. */
  path: string;
  headers: Headers;
  body: Uint8Array;
}

export function json(request: ApiRequest): unknown {
  return JSON.parse(new TextDecoder().decode(request.body));
}

export function form(request: ApiRequest): Promise<FormData> {
  const type = request.headers.get("Content-Type") ?? "";
  return new Response(request.body as Uint8Array<ArrayBuffer>, {
    headers: { "Content-Type": type },
  }).formData();
}

/** One page of a list, as `page` and `per_page` ask for it. */
export function paged<Item>(
  items: readonly Item[],
  { url }: ApiRequest,
): { result: Item[]; result_info: object } {
  const page = Number(url.searchParams.get("page") ?? 1);
  const perPage = Number(url.searchParams.get("per_page") ?? 20);
  const start = (page - 1) * perPage;
  return {
    result: items.slice(start, start + perPage),
    result_info: { page, per_page: perPage, count: items.length, total_count: items.length },
  };
}
