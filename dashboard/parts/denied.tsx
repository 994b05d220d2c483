/** Shown if the server refuses to answer: asks for a token, or says which secret the server lacks. */
import { useEffect, useRef } from "preact/hooks";
import { type Denial, setToken, token } from "../api/session.ts";
import { Notice } from "./notice.tsx";

interface DeniedProps {
  denied: Denial;
  /** Whether a token was sent. */
  isRefused: boolean;
}

export function Denied({ denied, isRefused }: DeniedProps) {
  if (denied.code === "no_tokens") {
    return (
      <Notice title="The server has no read token">
        <p role="alert">{denied.message}</p>
        <button type="button" class="primary" onClick={() => setToken(token())}>
          Try again
        </button>
      </Notice>
    );
  }
  return (
    <Notice title={titleOf(denied, isRefused)}>
      <Reason denied={denied} isRefused={isRefused} />
      <TokenForm />
      <p class="quiet">The token stays in this tab until you close it or sign out.</p>
    </Notice>
  );
}

function titleOf({ status }: Denial, isRefused: boolean): string {
  if (!isRefused) return "Sign in";
  return status === 403 ? "This token may not read metrics" : "The server does not know this token";
}

function Reason({ denied, isRefused }: DeniedProps) {
  if (!isRefused) return <p>This server requires a token. Enter one of its READ_TOKENS or ADMIN_TOKENS.</p>;
  return (
    <p role="alert">
      {denied.status === 403
        ? "The server knows this token, but it has no right to read. Enter one of the server's READ_TOKENS or ADMIN_TOKENS."
        : "Check the token for typing errors, or enter another one of the server's READ_TOKENS or ADMIN_TOKENS."}
    </p>
  );
}

function TokenForm() {
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => input.current?.focus(), []);
  const apply = (event: SubmitEvent) => {
    event.preventDefault();
    const value = input.current?.value.trim() ?? "";
    if (value !== "") setToken(value);
  };
  return (
    <form class="token" onSubmit={apply}>
      <label>
        Token
        <input ref={input} type="password" name="token" autocomplete="off" required />
      </label>
      <button type="submit" class="primary">
        Sign in
      </button>
    </form>
  );
}
