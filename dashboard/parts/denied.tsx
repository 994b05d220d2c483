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
    <Notice title={isRefused ? "The server did not accept this token" : "Sign in"}>
      {isRefused ? (
        <p role="alert">Enter one of the server's READ_TOKENS or ADMIN_TOKENS.</p>
      ) : (
        <p>This server requires a token. Enter one of its READ_TOKENS or ADMIN_TOKENS.</p>
      )}
      <TokenForm />
      <p class="quiet">The token stays in this tab until you close it or sign out.</p>
    </Notice>
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
