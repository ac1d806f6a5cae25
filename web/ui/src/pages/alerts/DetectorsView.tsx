export default function DetectorsView() { return <p>soon</p> }
