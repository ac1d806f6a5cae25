export default function TailPage() { return <p>soon</p> }
