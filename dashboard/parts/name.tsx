/** Names from the user's code. `<bdi>` keeps right-to-left names from reordering the text around them. */

/** Right-to-left letters, and characters that change the direction of text. */
const BIDI = /[\u0590-\u08ff\u200e\u200f\u202a-\u202e\u2066-\u2069\ufb1d-\ufefc]/;

/** For a name within plain text, such as the window's title, where there is no `<bdi>`. */
export function isolate(name: string): string {
  return BIDI.test(name) ? `\u2068${name}\u2069` : name;
}

export function Name({ text, class: className }: { text: string; class?: string }) {
  return <bdi {...(className === undefined ? {} : { class: className })}>{text}</bdi>;
}

interface FunctionTitleProps {
  service: string;
  module: string;
  name: string;
}

/** The function, its module, and its service. */
export function FunctionTitle({ service, module, name }: FunctionTitleProps) {
  return (
    <>
      <strong>
        <Name text={name} />
      </strong>{" "}
      {module !== "" && (
        <>
          <Name text={module} class="module" />{" "}
        </>
      )}
      <Name text={service} class="service" />
    </>
  );
}
