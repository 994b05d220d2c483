/** Shown in place of a function that the server does not know, or that was just deleted. */
import { Name } from "../parts/name.tsx";
import { Notice } from "../parts/notice.tsx";
import { Link } from "../view/link.tsx";
import { type FunctionName, NO_FILTERS, type View } from "../view/view.ts";

export function UnknownFunction({ of, view }: { of: FunctionName; view: View }) {
  const list: View = { ...view, ...NO_FILTERS, page: "functions", of: undefined };
  return (
    <Notice title="Unknown function">
      <p role="alert">
        The service <Name text={of.service} /> has no function <Name text={of.function} />
        {of.module !== undefined && of.module !== "" && (
          <>
            {" in the module "}
            <Name text={of.module} />
          </>
        )}
        . It may have another name, or it was never called.
      </p>
      <p>
        <Link to={{ ...list, service: of.service }}>
          See the functions of <Name text={of.service} />
        </Link>
      </p>
      <p>
        <Link to={{ ...list, q: of.function }}>
          Search for <Name text={of.function} />
        </Link>
      </p>
    </Notice>
  );
}

export function DeletedFunction({ of, view }: { of: FunctionName; view: View }) {
  return (
    <Notice title="Function deleted">
      <p role="status">
        The function <Name text={of.function} /> of <Name text={of.service} /> and all its calls are deleted.
      </p>
      <Link to={{ ...view, page: "functions", of: undefined }}>See all functions</Link>
    </Notice>
  );
}
