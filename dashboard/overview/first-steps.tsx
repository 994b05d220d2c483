/** Shown until the first sample arrives: code that wraps a function and reports its calls. */
import { useState } from "preact/hooks";
import { Notice } from "../parts/notice.tsx";

interface FirstStepsProps {
  /** Whether the collector has problems, which the banner above describes. */
  isDegraded: boolean;
}

export function FirstSteps({ isDegraded }: FirstStepsProps) {
  const code = `import { createMetricsCollector } from "metrics-collector-client";

const metricsCollector = createMetricsCollector({ url: "${location.origin}", service: "my-service" });
const greet = metricsCollector(async function greet(name: string) { return \`Hello, \${name}\`; });
await greet("world");`;
  return (
    <Notice title="No metrics yet">
      {isDegraded && (
        <p role="alert">
          The collector has problems, so calls may not arrive. The message above says what is wrong.
        </p>
      )}
      <p>Wrap a function and call it. It appears here as soon as its first call is reported.</p>
      <Code text={code} />
      <p class="quiet">
        The client reports calls every 30 seconds. <code>await metricsCollector.flush()</code> reports them at
        once. If the server requires a token, pass it as the option <code>token</code>.
      </p>
    </Notice>
  );
}

function Code({ text }: { text: string }) {
  const [isCopied, setCopied] = useState(false);
  const copy = async () => {
    await navigator.clipboard.writeText(text);
    setCopied(true);
    setTimeout(() => setCopied(false), 2_000);
  };
  return (
    <div class="code">
      <pre tabIndex={0} aria-label="Code">
        <code>{text}</code>
      </pre>
      <button type="button" onClick={() => void copy()}>
        <span aria-live="polite">{isCopied ? "Copied" : "Copy"}</span>
      </button>
    </div>
  );
}
